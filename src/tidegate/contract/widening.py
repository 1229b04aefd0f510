"""Columns of text that grow: with `evolve: add`, what arrives may be longer than they are."""

from tidegate.column_types import LONGEST_VARCHAR, ColumnType
from tidegate.contract.model import Column, Contract

_WIDEST = ColumnType("varchar", length=LONGEST_VARCHAR)


def is_growing(type_: ColumnType, contract: Contract) -> bool:
    """Whether columns of that type are widened in the warehouse."""
    return contract.evolve == "add" and type_.name == "varchar"


def keep_narrow(contract: Contract, widths: dict[str, int]) -> Contract:
    """`contract` with columns that the warehouse does not widen beyond `widths`, in bytes."""
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
    """Whether a target column of type `was` takes what `contract` says it `becomes`.

    The job asks the same of the target itself, which a person may have altered.
    """
    alike = (becomes.name, becomes.precision, becomes.scale) == (was.name, was.precision, was.scale)
    if not alike or was.length is None or becomes.length is None:
        return alike
    return becomes.length <= was.length or is_growing(becomes, contract)


def growing(contract: Contract) -> list[Column]:
    """The columns that may become wider than the contract says, as longer texts arrive.

    Those of the key do not: rows are joined by them, in several tables.
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
    """The contract's columns, each as wide as what may arrive for it."""
    grow = {column.name for column in growing(contract)}
    return [
        column.model_copy(update={"type": _WIDEST}) if column.name in grow else column
        for column in contract.columns
    ]
