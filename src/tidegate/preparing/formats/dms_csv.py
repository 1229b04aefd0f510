"""CSV as AWS DMS writes it. The first record tells the columns and the line ends."""

import csv
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

from tidegate.contract import Contract
from tidegate.contract.source import INSERT
from tidegate.position import SNAPSHOT
from tidegate.preparing.casts import duckdb_literal
from tidegate.preparing.formats.fields import missing
from tidegate.preparing.formats.shape import (
    Shape,
    ShapeError,
    as_json,
    refuse_strangers,
)
from tidegate.preparing.quoting import goes_on, is_open

# The longest record that DuckDB reads, in bytes: https://duckdb.org/docs/stable/data/csv/overview
LONGEST_RECORD = 2_000_000


def read_shape(path: Path, contract: Contract, kind: int, later: Collection[str]) -> Shape:
    """The shape of the file at `path`; `kind` is snapshot or change.

    `later` has the columns that were added after the file landed; it may lack them.

    Raises:
        ShapeError: the file is not readable, or its header repeats a name or lacks a needed one.
    """
    try:
        with path.open("rb") as content:
            first = first_record(content, contract.source.options.delimiter)
        newline = "'\\r\\n'" if first.endswith(b"\r\n") else "'\\n'"
        if contract.source.options.header:
            if len(first) >= LONGEST_RECORD and not is_whole(
                first, contract.source.options.delimiter
            ):
                raise ShapeError(f"the header is longer than {LONGEST_RECORD:,} bytes")
            return _named(names_in(first, contract), newline, contract, later)
    except UnicodeDecodeError as error:
        raise ShapeError("the header is not UTF-8") from error
    except csv.Error as error:
        raise ShapeError(f"the header cannot be read: {_what_is_wrong(first)}") from error
    return _shape(_positional(first, contract, kind), newline, contract)


def _what_is_wrong(header: bytes) -> str:
    if b"\r" in header.rstrip(b"\r\n"):
        return "a carriage return is outside quotes; end lines with \\n or \\r\\n"
    return "a quoted name does not end, or text follows it"


def first_record(content: BinaryIO, delimiter: str) -> bytes:
    """The first record of a file; only its beginning if it is longer than LONGEST_RECORD."""
    record, is_within = b"", False
    while len(record) < LONGEST_RECORD and (line := content.readline(LONGEST_RECORD)):
        record += line
        is_within = goes_on(line, delimiter, is_within=is_within)
        if record.strip() and not is_within:
            break
    return record.lstrip(b"\r\n")


def is_whole(record: bytes, delimiter: str) -> bool:
    """Whether `record` is complete."""
    return record.endswith(b"\n") and bool(record.strip()) and not is_open(record, delimiter)


def names_in(first: bytes, contract: Contract) -> list[str]:
    """The column names in the first record of a file.

    Raises:
        UnicodeDecodeError, csv.Error: the names cannot be read.
    """
    return _split(first.decode("utf-8-sig"), contract, strict=True)


def _named(names: list[str], newline: str, contract: Contract, later: Collection[str]) -> Shape:
    if not names:
        return _shape(missing((), contract, later), newline, contract)
    # A file without a header has regulated values here, so the reason does not repeat them.
    if repeated := len(names) - len(set(names)):
        raise ShapeError(f"the header repeats column names ({repeated} too many); rename them")
    if lacking := ", ".join(map(repr, missing(names, contract, later))):
        raise ShapeError(f"the header does not name {lacking}")
    return _shape(names, newline, contract, refuse_strangers(names, contract))


def _positional(first: bytes, contract: Contract, kind: int) -> list[str]:
    """The columns of a file without a header.

    DMS always writes the operation into change files. It writes the operation into full-load files
    only with IncludeOpForFullLoad: docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.S3.html
    """
    fields = contract.fields
    if kind == SNAPSHOT and not _starts_with_insert(first, contract, len(fields) + 1):
        return fields
    return [contract.source.options.operation, *fields]


def _starts_with_insert(first: bytes, contract: Contract, width: int) -> bool:
    try:
        values = _split(first.decode("utf-8-sig", errors="replace"), contract)
    except csv.Error:
        return False
    return len(values) == width and contract.source.marks.get(values[0]) == INSERT


def _split(text: str, contract: Contract, *, strict: bool = False) -> list[str]:
    delimiter = contract.source.options.delimiter
    return next(csv.reader([text.rstrip("\r\n")], delimiter=delimiter, strict=strict), [])


def _shape(
    names: list[str], newline: str, contract: Contract, strange: tuple[str, ...] = ()
) -> Shape:
    options = contract.source.options
    columns = [f"c{number}" for number in range(len(names))]
    texts = dict(zip(names, columns, strict=True))
    carried: dict[str, str] = {}
    whole = as_json(texts, contract)
    if options.unsupplied:
        mark = duckdb_literal(options.unsupplied)
        carried = {name: f"{column} is distinct from {mark}" for name, column in texts.items()}
        texts = {name: f"nullif({column}, {mark})" for name, column in texts.items()}
    return Shape(
        scan="prepare/scan_csv",
        placeholders=(
            ("columns", "{" + ", ".join(f"'{column}': 'varchar'" for column in columns) + "}"),
            ("header", str(options.header).lower()),
            ("delimiter", duckdb_literal(options.delimiter)),
            ("null", duckdb_literal(options.null)),
            ("newline", newline),
        ),
        texts=tuple(texts.items()),
        whole=whole,
        record=f"to_json([{', '.join(columns)}])::varchar",
        carried=tuple(carried.items()),
        quoted=True,
        strangers=strange,
    )
