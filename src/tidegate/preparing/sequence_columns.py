"""The columns that order changes, each a named column of the query that reads a file."""

from dataclasses import dataclass

from tidegate.column_types import ColumnType
from tidegate.comparison import COMPARISONS, Comparison
from tidegate.contract.sequence import Order
from tidegate.position import sequence_sql
from tidegate.preparing.casts import typed_sql


@dataclass(frozen=True, slots=True)
class SequenceColumn:
    """One column that orders changes.

    DuckDB takes longer to plan a query with a spelling in it than to run it over a small file. So
    the query holds each spelling once, as its column `name`, and everything else refers to it.
    """

    name: str
    text: str
    column: str
    order: Order

    @property
    def sql(self) -> str:
        """The spelling by which the text compares, null where it has none."""
        return compared(self.text, self.order)

    def incomparable(self) -> str:
        """Why a row is refused whose text has no spelling."""
        name, order = self.column, self.order
        if isinstance(order, Comparison):
            text = f"does not compare as {order.name}, which is written like {order.example}"
            return f"{name!r}, which orders changes, {text}"
        return (
            f"{name!r}, which orders changes, is not a number, time or LSN; say in the contract "
            f"how it compares: sequence: [{{name: {name}, as: {'|'.join(COMPARISONS)}}}]"
        )


def compared(text: str, order: Order) -> str:
    """The spelling by which the text of a field compares, null where it has none."""
    return sequence_sql(typed_sql(order, text) if isinstance(order, ColumnType) else text, order)
