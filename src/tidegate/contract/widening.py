"""Columns of text that grow: with `evolve: add`, what arrives may be longer than they are."""

from tidegate.contract.model import Column, Contract
from tidegate.contract.types import LONGEST_VARCHAR, ColumnType

_WIDEST = ColumnType("varchar", length=LONGEST_VARCHAR)


def growing(contract: Contract) -> list[Column]:
    """The columns that are widened when a longer text arrives.

    Those of the key stay as they are, for they stand in the tables of tombstones as well.
    """
    return [
        column
        for column in contract.columns
        if contract.evolve == "add"
        and column.type.name == "varchar"
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
