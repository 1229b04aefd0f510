"""Widening: with `evolve: add` a varchar column grows when a longer text arrives."""

from tidegate.column_types import LONGEST_VARCHAR, ColumnType
from tidegate.contract.model import Column, Contract

_WIDEST = ColumnType("varchar", length=LONGEST_VARCHAR)


def is_growing(type_: ColumnType, contract: Contract) -> bool:
    """Tell whether Tidegate widens columns of this type in the warehouse."""
    return contract.evolve == "add" and type_.name == "varchar"


def keep_narrow(contract: Contract, widths: dict[str, int]) -> Contract:
    """Return `contract` with the columns in `widths` fixed at those widths, in bytes.

    Use it for columns that the warehouse cannot widen.
    """
    columns = [
        column.model_copy(
            update={"type": ColumnType(column.type.name, widths[column.name]), "widen": False}
        )
        if column.name in widths
        else column
        for column in contract.columns
    ]
    return contract.model_copy(update={"columns": columns})


def can_hold(was: ColumnType, becomes: ColumnType, contract: Contract) -> bool:
    """Tell whether a target column of type `was` can hold values of the type it `becomes`.

    The job checks the target itself in the same way, because a person may have altered it.
    """
    alike = (becomes.name, becomes.precision, becomes.scale) == (was.name, was.precision, was.scale)
    if not alike or was.length is None or becomes.length is None:
        return alike
    return becomes.length <= was.length or is_growing(becomes, contract)


def growing(contract: Contract) -> list[Column]:
    """Return the columns that may become wider than the contract says.

    Key columns never grow, because Tidegate joins rows by them in several tables.
    """
    return [
        column
        for column in contract.columns
        if is_growing(column.type, contract)
        and column.widen
        and column.type != _WIDEST
        and column.name not in contract.key
    ]


def arriving(contract: Contract) -> list[Column]:
    """Return the contract's columns, each wide enough for any text that may arrive."""
    grow = {column.name for column in growing(contract)}
    return [
        column.model_copy(update={"type": _WIDEST}) if column.name in grow else column
        for column in contract.columns
    ]
