"""Parquet: the file has names and types; values become the same texts as in CSV."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.contract import Contract
from tidegate.preparing.casts import duckdb_literal
from tidegate.preparing.formats.fields import missing, needed
from tidegate.preparing.formats.footer import ParquetColumn, ask, read_columns
from tidegate.preparing.formats.shape import (
    Shape,
    ShapeError,
    as_json,
    refuse_strangers,
)
from tidegate.preparing.formats.times import read_as_numbers
from tidegate.preparing.unpacking import too_large

if TYPE_CHECKING:
    import duckdb

_NAME_OR_DECIMAL = re.compile(r'"(?:[^"]|"")*"|DECIMAL\(\d+,(\d+)\)')
_TIMES = ("TIME", "TIME WITH TIME ZONE")
_NESTED = ("STRUCT", "MAP", "UNION", "VARIANT")
# DuckDB appends the path as a column with this name, which no file has; then it is renamed.
_PATH = "tidegate: the path of the file"


def read_shape(
    path: Path,
    contract: Contract,
    later: Collection[str],
    connection: "duckdb.DuckDBPyConnection",
) -> Shape:
    """The shape of the Parquet file at `path`.

    `later` has the columns that were added after the file landed; it may lack them. An empty file
    has no columns and no rows.

    Raises:
        ShapeError: the file is not Parquet, repeats a name, lacks a needed column, has values that
            cannot be read, or is larger unpacked than the contract allows.
    """
    if path.stat().st_size == 0:
        return Shape("prepare/scan_nothing", (), (), as_json({}, contract), "''")
    columns = read_columns(path, connection)
    _refuse_too_large(path, contract, connection)
    names = [column.name for column in columns]
    # A name may be as long as a file, so repeated ones are only counted.
    if repeated := len(names) - len(set(names)):
        raise ShapeError(f"it repeats column names ({repeated} too many); rename them")
    if lacking := ", ".join(map(repr, missing(names, contract, later))):
        raise ShapeError(f"it has no column {lacking}")
    _check_values(columns, contract)
    numbered = [f"c{number}" for number in range(len(columns))]
    has_times = any(column.type in _TIMES for column in columns)
    units = read_as_numbers(path) if has_times else {}
    texts = {
        column.name: _time(f"c{n}", units[n]) if n in units else _text(f"c{n}", column.type)
        for n, column in enumerate(columns)
    }
    return Shape(
        scan="prepare/scan_parquet",
        placeholders=(("columns", ", ".join(numbered)), ("path", duckdb_literal(_PATH))),
        texts=tuple(texts.items()),
        whole=as_json(texts, contract),
        record=f"to_json([{', '.join(texts.values())}])::varchar",
        types=tuple(column.type for column in columns),
        strangers=refuse_strangers(names, contract),
    )


def _check_values(columns: list[ParquetColumn], contract: Contract) -> None:
    """Refuse a file if DuckDB would change values in a column that the contract reads."""
    read = {*needed(contract), contract.source.options.operation}
    if faults := [column for column in columns if column.fault and column.name in read]:
        raise ShapeError(f"column {faults[0].name!r} {faults[0].fault}, and land the file again")


def _time(column: str, unit: str) -> str:
    # An interval may be longer than a day, or negative.
    return f"to_{unit}({column})::varchar"


def _refuse_too_large(
    path: Path, contract: Contract, connection: "duckdb.DuckDBPyConnection"
) -> None:
    # Parquet stores a value that occurs a million times only once; as text, each takes a byte or
    # more.
    [[unpacked]] = ask("prepare/measure_parquet", path, connection)
    size = path.stat().st_size
    if unpacked > contract.source.most_unpacked(size):
        raise ShapeError(too_large(size, contract.source))


def _text(column: str, type_: str) -> str:
    if type_ == "BLOB":
        return f"hex({column})"
    if type_ == "TIMESTAMP WITH TIME ZONE":
        # Many writers give this type to every timestamp. A time in UTC can be read as either type.
        return f"({column} at time zone 'UTC')::varchar"
    if type_.startswith(_NESTED) or type_.endswith("]"):
        return f"to_json({column}::{_widest(type_)})::varchar"
    return f"{column}::varchar"


def _widest(nested: str) -> str:
    """The type with decimals of 38 digits, because smaller ones lose digits in JSON."""
    return _NAME_OR_DECIMAL.sub(
        lambda found: f"DECIMAL(38,{found[1]})" if found[1] else found[0], nested
    )
