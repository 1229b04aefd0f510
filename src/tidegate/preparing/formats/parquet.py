"""Parquet: names and types stand in the file; values go on as the texts that CSV would hold."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import duckdb

from tidegate.contract import Contract
from tidegate.preparing.casts import duckdb_literal
from tidegate.preparing.formats.fields import missing
from tidegate.preparing.formats.shape import (
    Shape,
    ShapeError,
    as_json,
    path_list,
    refuse_strangers,
)
from tidegate.preparing.rejects import is_of_the_file, reason
from tidegate.preparing.unpacking import too_large
from tidegate.sql_files import render

_NESTED = ("STRUCT", "MAP", "UNION", "VARIANT")
# The name under which DuckDB appends the path, unlike what any file has; then it is renamed.
_PATH = "tidegate: the path of the file"


def read_shape(
    path: Path,
    contract: Contract,
    later: Collection[str],
    connection: "duckdb.DuckDBPyConnection",
) -> Shape:
    """The shape of the Parquet file at `path`, older than the columns `later`.

    One of no bytes has no columns and no rows.

    Raises:
        ShapeError: not Parquet, without a column that is needed, or with too much packed into it.
    """
    if path.stat().st_size == 0:
        return Shape("prepare/scan_nothing", (), (), as_json({}, contract), "''")
    types = column_types(path, connection)
    _refuse_too_large(path, contract, connection)
    if lacking := ", ".join(map(repr, missing(types, contract, later))):
        raise ShapeError(f"it has no column {lacking}")
    columns = [f"c{number}" for number in range(len(types))]
    texts = {
        name: _text(column, type_)
        for column, (name, type_) in zip(columns, types.items(), strict=True)
    }
    return Shape(
        scan="prepare/scan_parquet",
        places=(("columns", ", ".join(columns)), ("path", duckdb_literal(_PATH))),
        texts=tuple(texts.items()),
        whole=as_json(texts, contract),
        record=f"to_json([{', '.join(texts.values())}])::varchar",
        strangers=refuse_strangers(types, contract),
    )


def column_types(path: Path, connection: "duckdb.DuckDBPyConnection") -> dict[str, str]:
    """DuckDB's types of the columns of the Parquet file at `path`, by name.

    Raises:
        ShapeError: not Parquet.
    """
    rows = _ask("prepare/describe_parquet", path, connection)
    return {name: type_ for name, type_, *_ in rows}


def _refuse_too_large(
    path: Path, contract: Contract, connection: "duckdb.DuckDBPyConnection"
) -> None:
    # A value that comes a million times stands in the file once; as text each takes a byte or more.
    [[unpacked]] = _ask("prepare/measure_parquet", path, connection)
    size = path.stat().st_size
    if unpacked > contract.source.most_unpacked(size):
        raise ShapeError(too_large(size, contract.source))


def _ask(statement: str, path: Path, connection: "duckdb.DuckDBPyConnection") -> list[Any]:
    try:
        return connection.execute(render(statement, paths=path_list([path]))).fetchall()
    except duckdb.Error as error:
        if not is_of_the_file(error):
            raise
        raise ShapeError(reason(error, path)) from error


def _text(column: str, type_: str) -> str:
    if type_ == "BLOB":
        return f"hex({column})"
    if type_ == "TIMESTAMP WITH TIME ZONE":
        # Many writers say so of every timestamp. A time that is meant as UTC can be read as either.
        return f"({column} at time zone 'UTC')::varchar"
    if type_.startswith(_NESTED) or type_.endswith("]"):
        return f"to_json({column})::varchar"
    return f"{column}::varchar"
