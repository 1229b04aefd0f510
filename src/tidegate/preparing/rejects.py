"""Why a file of text could not be read, in words, with the line where it went wrong."""

import re
from pathlib import Path

import duckdb

from tidegate.preparing.foreign import ENCRYPTED
from tidegate.preparing.quoting import goes_on

_LONGEST = 2_000_001  # bytes; DuckDB reads no longer lines
# DuckDB's reader of Parquet raises the first of them, with no class of its own, for broken footers.
_OF_THE_FILE = {duckdb.Error, duckdb.InvalidInputException, duckdb.ConversionException}
# It raises this one as well where a disk is full, which is no fault of the file.
_SHORT = "Could not read enough bytes"
# DuckDB goes on with the line itself, whose values may be regulated: none of it is repeated.
_LINE = re.compile(r"Invalid Input Error: CSV Error on Line: (\d+)\n")
_COLUMNS = re.compile(r"\nExpected Number of Columns: (\d+) Found: (\d+)\n")
_MEANINGS = {
    "\nValue with unterminated quote found.": "a quoted value does not end",
    "\nInvalid unicode (byte sequence mismatch) detected.": "it is not UTF-8",
    "\nMaximum line size of ": "it is longer than 2,000,000 bytes",
}
# What it says of a whole file, and what that means; none of these is about CSV but the first.
_OF_A_FILE = {
    # A record ends otherwise than the first one of its file did.
    "invalid state": (
        "cannot be read: its lines end in different ways, "
        "or a carriage return stands outside quotes"
    ),
    # The value follows.
    "Invalid string encoding": "cannot be read: a text in it is not UTF-8",
    "Invalid unicode": "cannot be read: a text in it is not UTF-8",
    "encrypt": ENCRYPTED,
    "No magic bytes": (
        "it is no Parquet, or its end is missing; write it as Parquet, and land it again"
    ),
    "too small to be a Parquet file": (
        "it is too short to be Parquet; write it as Parquet, and land it again"
    ),
}
_DAMAGED = "it is damaged, or a part of it is missing; write it once more, and land it again"
_QUOTE = re.compile("(?<![a-z])[\"'`]|[^ -~]")
_LONGEST_TOLD = 150  # characters


def is_of_the_file(error: "duckdb.Error") -> bool:
    """Whether the file is at fault; else it is the disk or DuckDB, and the attempt is repeated."""
    short = isinstance(error, duckdb.IOException) and _SHORT in str(error)
    return short or type(error) in _OF_THE_FILE


def reason(error: "duckdb.Error", path: Path, delimiter: str = ",") -> str:
    """Why DuckDB could not read the file at `path`, without what the file holds.

    `delimiter` is that of CSV.
    """
    text = str(error)
    if found := _LINE.match(text):
        return f"line {line_of(path, int(found[1]), delimiter)}: {_meaning(text)}"
    told = (meaning for said, meaning in _OF_A_FILE.items() if said in text)
    return next(told, None) or f"{_DAMAGED} (DuckDB: {_clipped(text, path)})"


def _clipped(text: str, path: Path) -> str:
    """What DuckDB says, up to where it repeats something."""
    said = re.sub(rf"""(file )?['"]?{re.escape(str(path))}['"]?""", "the file", text)
    return _QUOTE.split(said)[0].strip(" :")[:_LONGEST_TOLD]


def _meaning(text: str) -> str:
    if counts := _COLUMNS.findall(text):
        expected, found = map(int, counts[-1])
        # DuckDB counts no further than to the first column too many.
        few = f"it has {found} column{'s' * (found != 1)}, not {expected}"
        return few if found < expected else f"it has more than {expected} columns"
    told = [meaning for said, meaning in _MEANINGS.items() if said in text]
    return told[0] if told else "it cannot be read as CSV"


def line_of(path: Path, record: int, delimiter: str) -> int:
    """The line where the record begins of that number; DuckDB counts blank lines as records."""
    is_within, records, lines = False, 0, 0
    with path.open("rb") as content:
        for line in iter(lambda: content.readline(_LONGEST), b""):
            lines, records = lines + 1, records + (not is_within)
            if records == record:
                break
            is_within = goes_on(line, delimiter, is_within=is_within)
    return lines
