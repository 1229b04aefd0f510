"""What a staged change has beside the columns of its target, by write mode."""

from tidegate.contract.model import Contract
from tidegate.contract.types import ColumnType
from tidegate.position import LONGEST_POSITION

_DIGEST = ColumnType("varchar", length=32)


def own_columns(contract: Contract) -> dict[str, ColumnType]:
    """The columns that Tidegate adds to a change on its way to the merge.

    `_op` is one of I, U, D and T. With history `_changed_at` is the change's time, and `_digest`
    tells whether a tracked column differs. With partial rows `_carried` has a 1 for each column
    that the change carries, a 0 for each other one.
    """
    own = {
        "_op": ColumnType("varchar", length=1),
        "_position": ColumnType("varchar", length=LONGEST_POSITION),
    }
    if contract.write == "history":
        own |= {"_changed_at": ColumnType("timestamp"), "_digest": _DIGEST}
    if contract.partial:
        own["_carried"] = ColumnType("varchar", length=len(contract.columns))
    return own


def keeps_newest(contract: Contract) -> bool:
    """Whether of several changes of a key only the newest counts."""
    whole_rows = contract.write in {"upsert", "soft_delete"} and not contract.partial
    return whole_rows or (contract.write == "replace" and bool(contract.key))
