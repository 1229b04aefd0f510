"""Shapes: which columns the records of a DMS CSV file have and how they end, told by the first."""

import csv
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tidegate.contract import Contract
from tidegate.contract.names import LONGEST_NAME
from tidegate.contract.parts import OPERATION
from tidegate.contract.source import INSERT
from tidegate.position import SNAPSHOT
from tidegate.preparing.headers import first_record, names_in, required, split, strangers

_MOST_LISTED = 20


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
        with open_bytes(path) as content:
            first = first_record(content)
        newline = "\r\n" if first.endswith(b"\r\n") else "\n"
        if contract.source.options.header:
            return Shape(_named(names_in(first, contract), contract), newline)
    except (OSError, EOFError, zlib.error) as error:
        raise ShapeError(f"cannot be read: {error}".replace(str(path), "the file")) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ShapeError(f"the header cannot be read: {error}") from error
    return Shape(_positional(first, contract, kind), newline)


def open_bytes(path: Path) -> BinaryIO:
    """The content of the file at `path`, uncompressed."""
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _named(names: list[str], contract: Contract) -> tuple[str, ...]:
    wanted = required(contract)
    if not names:
        return tuple(dict.fromkeys(wanted))
    # What a file holds where a header should be may be regulated: it is not repeated.
    if repeated := len(names) - len(set(names)):
        raise ShapeError(f"the header has {repeated} names that stand in it before")
    if missing := ", ".join(repr(name) for name in wanted if name not in names):
        raise ShapeError(f"the header does not name {missing}")
    strange = strangers(names, contract)
    if strange and contract.evolve == "refuse":
        raise ShapeError(
            f"the header names {_listed(strange)}, which the contract does not; "
            "add it to columns, or to source.fields if it is not wanted, and land the file again"
        )
    return tuple(names)


def _listed(names: list[str]) -> str:
    # A name can be as long as a file; the reason is kept in an item of DynamoDB.
    listed = ", ".join(repr(name[:LONGEST_NAME]) for name in names[:_MOST_LISTED])
    more = len(names) - _MOST_LISTED
    return f"{listed} and {more} more" if more > 0 else listed


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
        values = split(first.decode("utf-8-sig", errors="replace"), contract)
    except csv.Error:
        return False
    return len(values) == width and contract.source.marks.get(values[0]) == INSERT
