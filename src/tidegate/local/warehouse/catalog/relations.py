"""Tables, views and their columns as Redshift describes them.

DuckDB stores no lengths of text, encodings or keys. This module keeps them as JSON in the comments
of columns and tables, so they are created, altered, renamed and rolled back together.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.local.warehouse.language.datatypes import DataType
from tidegate.local.warehouse.language.failures import SqlError
from tidegate.local.warehouse.language.lexer import Name, literal, quote

DATABASE = "$warehouse"
SYSTEM_SCHEMA = "$system"
DEFAULT_SCHEMA = "public"


@dataclass(frozen=True)
class Column:
    """A column with the attributes that only Redshift stores."""

    name: str
    type: DataType
    nullable: bool = True
    default: str | None = None
    encode: str | None = None
    remark: str | None = None

    @property
    def comment(self) -> str:
        """The JSON that DuckDB stores as the column's comment."""
        kept = {
            "type": self.type.name,
            "length": self.type.length,
            "precision": self.type.precision,
            "scale": self.type.scale,
            "spelled": self.type.spelled,
            "encode": self.encode,
            "remark": self.remark,
        }
        return json.dumps({name: value for name, value in kept.items() if value is not None})


@dataclass(frozen=True)
class Relation:
    """A table or view as one session sees it."""

    name: Name
    oid: int
    temporary: bool
    columns: tuple[Column, ...]
    kept: Mapping[str, Any]
    view_sql: str | None = None

    @property
    def sql(self) -> str:
        """The full, quoted name for DuckDB."""
        if self.temporary:
            return f"temp.main.{quote(self.name.table)}"
        return f"{quote(DATABASE)}.{self.name.sql}"

    def column(self, name: str) -> Column:
        """Returns the column with this name; raises 42703 if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise SqlError("42703", f'column "{name}" of relation "{self.name.table}" does not exist')

    @property
    def key_columns(self) -> set[str]:
        """Returns the columns of the declared primary and unique keys."""
        keys = [self.kept.get("primary_key", []), *self.kept.get("unique", [])]
        return {name for key in keys for name in key}

    def select(self, names: list[str]) -> list[Column]:
        """Returns the columns with these names in this order; all columns if `names` is empty."""
        return [self.column(name) for name in names] or list(self.columns)


def comment_on_column(table: str, column: Column) -> str:
    """Returns the statement that stores a column's Redshift attributes in its comment."""
    return f"comment on column {table}.{quote(column.name)} is {literal(column.comment)}"


def comment_on_table(table: str, kept: Mapping[str, Any]) -> str:
    """Returns the statement that stores a table's Redshift attributes in its comment."""
    return f"comment on table {table} is {literal(json.dumps(dict(kept)))}"
