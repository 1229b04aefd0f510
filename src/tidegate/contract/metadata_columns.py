"""The metadata columns that Tidegate adds to each change and to each row of the target."""

from tidegate.column_types import ColumnType
from tidegate.contract.model import Contract
from tidegate.position import LONGEST_POSITION

_OPERATION = ColumnType("varchar", length=1)
_POSITION = ColumnType("varchar", length=LONGEST_POSITION)
_DIGEST = ColumnType("varchar", length=32)
_TIME = ColumnType("timestamp")


def columns_of_changes(contract: Contract) -> dict[str, ColumnType]:
    """Return the metadata columns of a change, with their types.

    `_op` is I, U, D or T (insert, update, delete, truncate). With history `_changed_at` is the time
    of the change, and `_digest` tells whether a tracked column differs. With partial rows
    `_carried` has one digit a column: 1 if the change carries the column, else 0.
    """
    metadata = {"_op": _OPERATION, "_position": _POSITION}
    if contract.write == "history":
        metadata |= {"_changed_at": _TIME, "_digest": _DIGEST}
    if contract.partial:
        metadata["_carried"] = ColumnType("varchar", length=len(contract.columns))
    return metadata


def columns_of_target(contract: Contract) -> dict[str, ColumnType]:
    """Return the metadata columns of a row of the target, with their types."""
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
