"""Headers: the names a file begins with, and which of them are strange to its contract."""

import csv
from collections.abc import Iterable
from typing import BinaryIO

from tidegate.contract import Contract
from tidegate.contract.parts import OPERATION

# The longest that DuckDB takes, in bytes: https://duckdb.org/docs/stable/data/csv/overview
LONGEST_RECORD = 2_000_000


def first_record(content: BinaryIO) -> bytes:
    """The first record of a file, or what there is of it where its end is not reached."""
    record = b""
    while len(record) < LONGEST_RECORD and (line := content.readline(LONGEST_RECORD)):
        record += line
        if is_whole(record):
            break
    return record.lstrip(b"\r\n")


def is_whole(record: bytes) -> bool:
    """Whether a record ends where these bytes do."""
    # Quotes inside a quoted field are doubled, so an odd number says that one is open.
    return record.endswith(b"\n") and record.count(b'"') % 2 == 0 and bool(record.strip())


def split(text: str, contract: Contract, *, strict: bool = False) -> list[str]:
    """The fields of one record.

    Raises:
        csv.Error: they cannot be told apart or, if `strict`, their quotes are not in order.
    """
    delimiter = contract.source.options.delimiter
    return next(csv.reader([text.rstrip("\r\n")], delimiter=delimiter, strict=strict), [])


def names_in(first: bytes, contract: Contract) -> list[str]:
    """The names in the first record of a file.

    Raises:
        UnicodeDecodeError, csv.Error: they cannot be read.
    """
    return split(first.decode("utf-8-sig"), contract, strict=True)


def required(contract: Contract) -> list[str]:
    """What a header must name: what finds and orders a row, and all columns but where any may lack.

    A partial row lacks what did not change, and with `evolve: add` a file may be older than a
    column.
    """
    may_lack = contract.partial or contract.evolve == "add"
    needed = [c.source for c in contract.columns if c.name in contract.key or not may_lack]
    return [*needed, *contract.order_by]


def strangers(names: Iterable[str], contract: Contract) -> list[str]:
    """Those of a header's names that the contract does not know, in their order."""
    known = {
        OPERATION,
        *contract.fields,
        *(column.source for column in contract.columns),
        *contract.order_by,
        *contract.before_images.values(),
        contract.time_of_change,
    }
    before = contract.source.before_image
    names = list(names)
    images = {before + name for name in names} if before else set()
    return [name for name in names if name not in known | images]
