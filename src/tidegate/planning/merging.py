"""Lists, for each write mode, the statements of `sql/merge/` that make a merge, in order."""

from collections.abc import Callable
from dataclasses import dataclass

from tidegate.contract import Contract
from tidegate.contract.writing import control_tables, truncates
from tidegate.planning.placeholders import Attempt, can_merge_stage

Operations = tuple[str, ...]

# The count of the batch record to which a statement's rows are added. "columns": the statement
# returns the counts itself, by name.
COUNTS = {
    "count_updates": "columns",
    "count_versions": "columns",
    "count_deletes": "columns",
    "count_truncated": "columns",
    "insert_rows": "rows_inserted",
    "insert_versions": "rows_inserted",
    "append_changes": "rows_inserted",
    "delete_rows": "rows_deleted",
    "truncate_rows": "rows_deleted",
    "clear_rows": "rows_deleted",
    "empty_target": "rows_deleted",
    "drop_truncated": "rows_stale",
    "drop_stale_rows": "rows_stale",
    "drop_deleted_rows": "rows_stale",
    "drop_stale_values": "rows_stale",
    "drop_stale_deletes": "rows_stale",
    "drop_logged": "rows_stale",
    "drop_appended": "rows_stale",
    "drop_replaced": "rows_stale",
}
_MISSING = {"soft_delete": "delete_missing", "history": "close_missing"}
_TRUNCATE = ("truncate_rows", "truncate_tombstones")
_BURY = ("clear_tombstones", "write_tombstones")
# If all changes are kept, a truncate becomes a delete of every key that had a change before it.
_SPREAD = ("write_truncations", "spread_truncations", "drop_truncations")


@dataclass(frozen=True, slots=True)
class Merge:
    """The statements of a merge: into an empty target, above the watermark, or for late changes."""

    empty: Operations
    above_watermark: Operations
    late: Operations

    def after(self, first: Operations) -> "Merge":
        """Return the same merge with the statements `first` in front."""
        return Merge(first + self.empty, first + self.above_watermark, first + self.late)


def merge_of(contract: Contract, attempt: Attempt) -> Merge:
    """Return the merge for the contract's write mode."""
    return _merge(contract).after(_first(contract, attempt))


def refresh_of(contract: Contract, attempt: Attempt) -> Operations:
    """Return the statements that replace the content of the target by a snapshot.

    `soft_delete` and `history` keep the rows that the snapshot lacks, and mark them as deleted or
    ended. The other modes empty the target and its control tables first.
    """
    merge, first = _merge(contract), _first(contract, attempt)
    if missing := _MISSING.get(contract.write):
        return (*first, missing, *merge.above_watermark)
    kept = [f"empty_{kind}" for kind in control_tables(contract) if kind != "batches"]
    return ("empty_target", *kept, *first, *merge.empty)


def _merge(contract: Contract) -> Merge:
    return (_partial if contract.partial else _MERGES[contract.write])(contract)


def _first(contract: Contract, attempt: Attempt) -> Operations:
    return () if can_merge_stage(contract, attempt) else ("keep_newest",)


def _upsert(contract: Contract) -> Merge:
    emptied = ("write_truncation", "drop_truncations", "drop_truncated", *_TRUNCATE)
    apply = ("count_updates", "delete_rows", *_BURY, "drop_deletes", "merge_rows")
    merge = Merge(
        empty=(*_BURY, "insert_rows"),
        above_watermark=apply,
        late=("drop_stale_rows", "drop_deleted_rows", *apply),
    )
    return merge.after(emptied) if truncates(contract) else merge


def _soft_delete(contract: Contract) -> Merge:
    # A row takes its values and its deletion from two changes, each the newest of its kind.
    bury = ("clear_deleted", "write_tombstones", "drop_deletes")
    count: Operations = ("count_deletes",)
    # Two statements, because one that looked for both rows and tombstones would join them all.
    mark: Operations = ("mark_merged", "mark_deleted")
    if truncates(contract):
        count, mark = (*count, "count_truncated"), (*mark, "mark_truncated")
    apply = ("count_updates", *bury, *count, "merge_rows", *mark)
    merge = Merge(
        empty=(*bury, "insert_rows", *mark),
        above_watermark=apply,
        late=("drop_stale_values", "drop_stale_deletes", *apply),
    )
    return merge.after(("write_truncation", "drop_truncations")) if truncates(contract) else merge


def _partial(contract: Contract) -> Merge:
    forget = ("make_superseded", "forget_superseded")
    make = ("log_changes", "make_rows")
    apply = (*make, "count_updates", "delete_rows", "drop_deletes", "merge_rows", *forget)
    merge = Merge(
        empty=(*make, "insert_rows", *forget),
        above_watermark=apply,
        late=("drop_logged", *apply),
    )
    return merge.after(_SPREAD) if truncates(contract) else merge


def _history(contract: Contract) -> Merge:
    make = ("log_changes", "make_versions")
    apply = (*make, "count_versions", "delete_versions", "insert_versions")
    merge = Merge(
        empty=(*make, "insert_versions"),
        above_watermark=apply,
        late=("drop_logged", *apply),
    )
    return merge.after(_SPREAD) if truncates(contract) else merge


def _append(_: Contract) -> Merge:
    append = ("append_changes",)
    return Merge(empty=append, above_watermark=append, late=("drop_appended", *append))


def _replace(_: Contract) -> Merge:
    replace = ("clear_rows", "insert_rows")
    return Merge(empty=("insert_rows",), above_watermark=replace, late=("drop_replaced", *replace))


_MERGES: dict[str, Callable[[Contract], Merge]] = {
    "upsert": _upsert,
    "soft_delete": _soft_delete,
    "history": _history,
    "append": _append,
    "replace": _replace,
}
