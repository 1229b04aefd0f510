"""Why a file of text could not be read, in words, with the line where it went wrong."""

from pathlib import Path

import duckdb

from tidegate.preparing.opening import open_bytes
from tidegate.sql_files import render

_PIECE = 1 << 20  # bytes
# DuckDB's reader of Parquet raises the first of them, with no class of its own, for broken footers.
_OF_THE_FILE = {duckdb.Error, duckdb.InvalidInputException, duckdb.ConversionException}
# What DuckDB says when a record ends otherwise than the first one of its file did.
_INVALID_STATE = "invalid state"


def take_rejects(connection: "duckdb.DuckDBPyConnection") -> dict[str, str]:
    """By path, why the files just read were rejected; DuckDB's tables of rejects are emptied."""
    rows = connection.execute(render("prepare/list_rejects")).fetchall()
    connection.execute("drop table reject_errors")
    connection.execute("drop table reject_scans")
    return {path: f"line {line_of(Path(path), at)}: {message}" for path, at, message in rows}


def line_of(path: Path, position: int) -> int:
    """The first line that is not blank at or after the byte at `position`; both count from 1."""
    lines, left = 1, position - 1
    with open_bytes(path) as content:
        while left > 0 and (piece := content.read(min(left, _PIECE))):
            lines += piece.count(b"\n")
            left -= len(piece)
        # DuckDB counts blank lines to the record that follows them.
        while (line := content.readline(_PIECE)) and not line.strip():
            lines += 1
    return lines


def is_of_the_file(error: "duckdb.Error") -> bool:
    """Whether the file is at fault; else it is the disk or DuckDB, and the attempt is repeated."""
    return type(error) in _OF_THE_FILE


def reason(error: "duckdb.Error", path: Path) -> str:
    """Why DuckDB could not read the file at `path`, without what the file holds."""
    text = str(error).splitlines()[0].replace(str(path), "the file")
    if _INVALID_STATE in text:
        text = "its lines end in different ways, or a carriage return stands outside quotes"
    return f"cannot be read: {text}"
