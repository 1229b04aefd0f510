"""The key `sequence` of a contract: which source columns order changes, and how each compares."""

from typing import Any, Literal

from pydantic import Field, model_serializer, model_validator

from tidegate.column_types import ColumnType
from tidegate.comparison import COMPARISONS, Comparison
from tidegate.contract.parts import FieldName, Part

Order = ColumnType | Comparison
_Written = Literal["lsn", "binlog", "number", "hex", "timestamp", "text"]


def is_text(order: Order) -> bool:
    """Tell whether the text in the file is compared, not a value of another type."""
    return isinstance(order, Comparison) or order.name in {"char", "varchar"}


class SequencePart(Part):
    """One part of a sequence: a column name, or `{name: lsn_column, as: lsn}`."""

    name: FieldName
    as_: _Written | None = Field(default=None, alias="as")

    @property
    def comparison(self) -> Comparison | None:
        """The declared comparison; None if the contract declares none."""
        return COMPARISONS[self.as_] if self.as_ else None

    @model_validator(mode="before")
    @classmethod
    def _may_be_a_name(cls, value: object) -> object:
        return value if isinstance(value, dict | SequencePart) else {"name": value}

    @model_serializer
    def _as_written(self) -> str | dict[str, Any]:
        return {"name": self.name, "as": self.as_} if self.as_ else self.name
