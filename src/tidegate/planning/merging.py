"""Which statements of `sql/merge/` make a merge, for each write mode, in their order."""

from dataclasses import dataclass

from tidegate.contract import Contract
from tidegate.planning.places import Attempt, is_staged_ready

Operations = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """The operations of one merge: into an empty target, above the watermark, and below it."""

    empty: Operations
    above_watermark: Operations
    late: Operations


def merge_of(contract: Contract, attempt: Attempt) -> Merge:
    """The merge of the contract's write mode."""
    return _upsert(() if is_staged_ready(contract, attempt) else ("merge/keep_newest",))


def _upsert(first: Operations) -> Merge:
    bury = ("merge/clear_tombstones", "merge/write_tombstones")
    apply = (
        "merge/count_updates",
        "merge/delete_rows",
        *bury,
        "merge/drop_deletes",
        "merge/merge_rows",
    )
    return Merge(
        empty=(*first, *bury, "merge/insert_rows"),
        above_watermark=(*first, *apply),
        late=(*first, "merge/drop_stale_rows", "merge/drop_deleted_rows", *apply),
    )
