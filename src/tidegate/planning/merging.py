"""Which statements of `sql/merge/` make a merge, for each write mode, in their order."""

from collections.abc import Callable
from dataclasses import dataclass

from tidegate.contract import Contract
from tidegate.contract.writing import control_tables, truncates
from tidegate.planning.placeholders import Attempt, is_staged_ready

Operations = tuple[str, ...]

# What of the batch record the rows of a statement count for; "columns": it says so itself.
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
# Where all changes are kept, a truncation is a delete of every key that had one before it.
_SPREAD = ("write_truncations", "spread_truncations", "drop_truncations")


@dataclass(frozen=True, slots=True)
class Merge:
    """The operations of one merge: into an empty target, above the watermark, and below it."""

    empty: Operations
    above_watermark: Operations
    late: Operations

    def after(self, first: Operations) -> "Merge":
        """The same, with `first` before each."""
        return Merge(first + self.empty, first + self.above_watermark, first + self.late)


def merge_of(contract: Contract, attempt: Attempt) -> Merge:
    """The merge of the contract's write mode."""
    return _merge(contract).after(_first(contract, attempt))


def refresh_of(contract: Contract, attempt: Attempt) -> Operations:
    """The operations that replace what the table holds now by a snapshot.

    Where rows stay when they are gone from the source, those that the snapshot lacks are deleted;
    else nothing is known any more before the snapshot is merged.
    """
    merge, first = _merge(contract), _first(contract, attempt)
    if missing := _MISSING.get(contract.write):
        return (*first, missing, *merge.above_watermark)
    kept = [f"empty_{kind}" for kind in control_tables(contract) if kind != "batches"]
    return ("empty_target", *kept, *first, *merge.empty)


def _merge(contract: Contract) -> Merge:
    return (_partial if contract.partial else _MERGES[contract.write])(contract)


def _first(contract: Contract, attempt: Attempt) -> Operations:
    return () if is_staged_ready(contract, attempt) else ("keep_newest",)


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
    # A row has its values and whether it is deleted from two changes, each the newest of its kind.
    bury = ("clear_deleted", "write_tombstones", "drop_deletes")
    count: Operations = ("count_deletes",)
    # Rows of this batch and tombstones of this batch: looked for at once, all would be joined.
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
