"""Finds the shape of a file by the format of its contract."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.contract import Contract
from tidegate.preparing.foreign import foreign, foreign_for_sure
from tidegate.preparing.formats import dms_csv, jsonl, parquet
from tidegate.preparing.formats.shape import Shape, ShapeError

if TYPE_CHECKING:
    import duckdb


def read_shape(
    path: Path,
    contract: Contract,
    kind: int,
    later: Collection[str],
    connection: "duckdb.DuckDBPyConnection",
) -> Shape:
    """The shape of the file at `path`; `kind` is snapshot or change.

    `later` has the columns that were added after the file landed; it may lack them.

    Raises:
        ShapeError: the file is not readable, or lacks a column that the contract needs.
    """
    written_as = contract.source.format
    if what := foreign_for_sure(path, written_as):
        raise ShapeError(what)
    try:
        return _read_shape(path, contract, kind, later, connection)
    except ShapeError as error:
        raise ShapeError(foreign(path, written_as) or str(error)) from error


def _read_shape(
    path: Path,
    contract: Contract,
    kind: int,
    later: Collection[str],
    connection: "duckdb.DuckDBPyConnection",
) -> Shape:
    match contract.source.format:
        case "dms_csv":
            return dms_csv.read_shape(path, contract, kind, later)
        case "parquet":
            return parquet.read_shape(path, contract, later, connection)
        case "jsonl":
            return jsonl.read_shape(path, contract, connection)
