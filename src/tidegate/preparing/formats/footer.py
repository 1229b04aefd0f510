"""Reads the columns of a Parquet file from its footer, with the names that the file has.

DuckDB renames a repeated name, even if it differs only in case. It reads a decimal that it has no
type for as double. So Tidegate reads names and precisions from the schema itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from tidegate.contract.names import LONGEST_NAME
from tidegate.preparing.casts import duckdb_literal
from tidegate.preparing.formats.shape import ShapeError, path_list
from tidegate.preparing.rejects import is_file_fault, reason
from tidegate.sql_files import render

_MOST_DIGITS = 38  # https://duckdb.org/docs/stable/sql/data_types/numeric
_TOO_MANY_DIGITS = (
    "has decimals of {} digits, more than the 38 that Tidegate can keep; write it as text"
)
_ALIKE = "has two fields {!r} and {!r} that differ at most in case; name them differently"


@dataclass(frozen=True, slots=True)
class ParquetColumn:
    """A column: its name in the file, its type in DuckDB, and why it cannot be read, if so."""

    name: str
    type: str
    fault: str | None


@dataclass(frozen=True, slots=True)
class _Element:
    """An element of the schema, and the elements below it."""

    name: str
    precision: int | None
    children: list["_Element"] = field(default_factory=list)


def read_columns(path: Path, connection: "duckdb.DuckDBPyConnection") -> list[ParquetColumn]:
    """The columns of the Parquet file at `path`, in their order.

    Raises:
        ShapeError: it is not Parquet.
    """
    described = ask("prepare/describe_parquet", path, connection)
    listed = ask("prepare/list_parquet_names", path, connection)
    columns = _element(iter(listed)).children
    return [
        ParquetColumn(column.name, type_, next(_faults(column), None))
        for column, (_, type_, *_) in zip(columns, described, strict=True)
    ]


def ask(statement: str, path: Path, connection: "duckdb.DuckDBPyConnection") -> list[Any]:
    """Run a query about the Parquet file at `path`; return its rows.

    Raises:
        ShapeError: it is not Parquet.
    """
    asked = render(statement, paths=path_list([path]), path=duckdb_literal(str(path)))
    try:
        return connection.execute(asked).fetchall()
    except duckdb.Error as error:
        if not is_file_fault(error):
            raise
        raise ShapeError(reason(error, path)) from error


def _element(listed: Iterator[tuple[str, int, int | None]]) -> _Element:
    """The next element, with the elements below it, which follow it in the list."""
    name, children, precision = next(listed)
    return _Element(name, precision, [_element(listed) for _ in range(children)])


def _faults(element: _Element) -> Iterator[str]:
    if element.precision and element.precision > _MOST_DIGITS:
        yield _TOO_MANY_DIGITS.format(element.precision)
    seen: dict[str, str] = {}
    for child in element.children:
        if other := seen.get(child.name.lower()):
            yield _ALIKE.format(other[:LONGEST_NAME], child.name[:LONGEST_NAME])
        seen[child.name.lower()] = child.name
        yield from _faults(child)
