"""The columns that Tidegate adds: to a change on its way, and to the target."""

from tidegate.column_types import ColumnType
from tidegate.contract.model import Contract
from tidegate.position import LONGEST_POSITION

_OPERATION = ColumnType("varchar", length=1)
_POSITION = ColumnType("varchar", length=LONGEST_POSITION)
_DIGEST = ColumnType("varchar", length=32)
_TIME = ColumnType("timestamp")


def columns_of_changes(contract: Contract) -> dict[str, ColumnType]:
    """What a change has beside the columns of its target.

    `_op` is one of I, U, D and T. With history `_changed_at` is the change's time, and `_digest`
    tells whether a tracked column differs. With partial rows `_carried` has a 1 for each column
    that the change carries, a 0 for each other one.
    """
    own = {"_op": _OPERATION, "_position": _POSITION}
    if contract.write == "history":
        own |= {"_changed_at": _TIME, "_digest": _DIGEST}
    if contract.partial:
        own["_carried"] = ColumnType("varchar", length=len(contract.columns))
    return own


def columns_of_target(contract: Contract) -> dict[str, ColumnType]:
    """What a row of the target has beside the contract's columns."""
    by_mode = {
        "soft_delete": {"_deleted_at": _TIME},
        "append": {"_op": _OPERATION},
        "history": {
            "valid_from": _TIME,
            "valid_to": _TIME,
            "is_current": ColumnType("boolean"),
        },
    }
    return {
        **by_mode.get(contract.write, {}),
        "_position": _POSITION,
        "_batch": ColumnType("bigint"),
        "_applied_at": _TIME,
    }
