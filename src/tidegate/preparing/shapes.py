"""Shapes: which columns the records of a DMS CSV file have and how they end, told by the first."""

import csv
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tidegate.contract import Contract
from tidegate.contract.parts import OPERATION
from tidegate.contract.source import INSERT
from tidegate.position import SNAPSHOT

# The longest that DuckDB takes, in bytes: https://duckdb.org/docs/stable/data/csv/overview
LONGEST_RECORD = 2_000_000


class ShapeError(ValueError):
    """A file cannot be opened, or its header is not what the contract needs."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a record in their order, `OPERATION` among them where it is written."""

    columns: tuple[str, ...]
    newline: str

    @property
    def has_operation(self) -> bool:
        """Whether records say what they are; without that every record is an insert."""
        return OPERATION in self.columns

    def column(self, name: str) -> str:
        """DuckDB's name of the column `name`; a file without it holds nothing for it."""
        return f"c{self.columns.index(name)}" if name in self.columns else "null"


def read_shape(path: Path, contract: Contract, kind: int) -> Shape:
    """The shape of the file at `path`, a snapshot or changes.

    Raises:
        ShapeError: not readable, or a header with a name twice or without one that is needed.
    """
    try:
        first = _first_record(path)
        newline = "\r\n" if first.endswith(b"\r\n") else "\n"
        if contract.source.options.header:
            text = first.decode("utf-8-sig")
            return Shape(_named(_split(text, contract), contract), newline)
    except (OSError, EOFError, zlib.error) as error:
        raise ShapeError(f"cannot be read: {error}".replace(str(path), "the file")) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ShapeError(f"the header cannot be read: {error}") from error
    return Shape(_positional(first, contract, kind), newline)


def open_bytes(path: Path) -> BinaryIO:
    """The content of the file at `path`, uncompressed."""
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _first_record(path: Path) -> bytes:
    record = b""
    with open_bytes(path) as lines:
        while len(record) < LONGEST_RECORD and (line := lines.readline(LONGEST_RECORD)):
            record += line
            # Quotes inside a quoted field are doubled, so an odd number says that one is open.
            if record.count(b'"') % 2 == 0 and record.strip():
                break
    return record.lstrip(b"\r\n")


def _split(text: str, contract: Contract) -> list[str]:
    return next(csv.reader([text.rstrip("\r\n")], delimiter=contract.source.options.delimiter), [])


def _named(names: list[str], contract: Contract) -> tuple[str, ...]:
    wanted = [*_needed(contract), *contract.order_by]
    if not names:
        return tuple(dict.fromkeys(wanted))
    # What a file holds where a header should be may be regulated: it is not repeated.
    if repeated := len(names) - len(set(names)):
        raise ShapeError(f"the header has {repeated} names that stand in it before")
    if missing := ", ".join(repr(name) for name in wanted if name not in names):
        raise ShapeError(f"the header does not name {missing}")
    return tuple(names)


def _needed(contract: Contract) -> list[str]:
    """The columns that a header must name: of a partial row the key, else all."""
    columns = contract.columns
    return [c.source for c in columns if c.name in contract.key or not contract.partial]


def _positional(first: bytes, contract: Contract, kind: int) -> tuple[str, ...]:
    """The columns of a file without header.

    DMS writes the operation into change files always, into full-load files only when
    IncludeOpForFullLoad is set: docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.S3.html
    """
    fields = tuple(contract.fields)
    if kind == SNAPSHOT and not _starts_with_insert(first, contract, len(fields) + 1):
        return fields
    return (OPERATION, *fields)


def _starts_with_insert(first: bytes, contract: Contract, width: int) -> bool:
    try:
        values = _split(first.decode("utf-8-sig", errors="replace"), contract)
    except csv.Error:
        return False
    return len(values) == width and contract.source.marks.get(values[0]) == INSERT
