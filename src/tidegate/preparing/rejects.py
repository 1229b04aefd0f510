"""Turns DuckDB's errors about a file into a reason for people, with the line if it is known."""

import re
from pathlib import Path

import duckdb

from tidegate.preparing.foreign import ENCRYPTED
from tidegate.preparing.quoting import goes_on

_LONGEST = 2_000_001  # bytes; DuckDB does not read longer lines
# For broken footers DuckDB's reader of Parquet raises the first of these, its base class.
_FILE_FAULTS = {duckdb.Error, duckdb.InvalidInputException, duckdb.ConversionException}
# DuckDB raises IOException for such a file; with other texts also for a full disk, for example.
_SHORT = "Could not read enough bytes"
# DuckDB then repeats the line. Its values may be regulated, so the reason has none of it.
_LINE = re.compile(r"Invalid Input Error: CSV Error on Line: (\d+)\n")
_COLUMNS = re.compile(r"\nExpected Number of Columns: (\d+) Found: (\d+)\n")
_NOT_UTF_8 = "it cannot be read: a text in it is not UTF-8; write it in UTF-8, and land it again"
_MEANINGS = {
    "\nValue with unterminated quote found.": "a quoted value does not end",
    "\nInvalid unicode (byte sequence mismatch) detected.": "it is not UTF-8",
    "\nMaximum line size of ": "it is longer than 2,000,000 bytes",
}
# DuckDB's texts about a whole file, and their meanings. Only the first is about CSV.
_FILE_MEANINGS = {
    # A record does not end like the first record of its file.
    "invalid state": (
        "it cannot be read: its lines end in different ways, or a carriage return is outside "
        "quotes; end all lines alike, and land it again"
    ),
    # DuckDB then repeats the value.
    "Invalid string encoding": _NOT_UTF_8,
    "Invalid unicode": _NOT_UTF_8,
    "encrypt": ENCRYPTED,
    "No magic bytes": (
        "it is not Parquet, or its end is missing; write it as Parquet, and land it again"
    ),
    "too small to be a Parquet file": (
        "it is too short to be Parquet; write it as Parquet, and land it again"
    ),
}
_DAMAGED = "it is damaged, or a part of it is missing; write it again, and land it again"
_QUOTE = re.compile("(?<![a-z])[\"'`]|[^ -~]")
_LONGEST_TOLD = 150  # characters


def is_file_fault(error: "duckdb.Error") -> bool:
    """Whether the file is at fault. If not, the disk or DuckDB is, and Tidegate tries again."""
    short = isinstance(error, duckdb.IOException) and _SHORT in str(error)
    return short or type(error) in _FILE_FAULTS


def reason(error: "duckdb.Error", path: Path, delimiter: str = ",") -> str:
    """Why DuckDB could not read the file at `path`; the reason repeats no value of the file.

    `delimiter` is the one of CSV.
    """
    text = str(error)
    if found := _LINE.match(text):
        return f"line {line_of(path, int(found[1]), delimiter)}: {_meaning(text)}"
    told = (meaning for said, meaning in _FILE_MEANINGS.items() if said in text)
    return next(told, None) or f"{_DAMAGED} (DuckDB: {_clipped(text, path)})"


def _clipped(text: str, path: Path) -> str:
    """The text of DuckDB up to the place where it may repeat a value."""
    said = re.sub(rf"""(file )?['"]?{re.escape(str(path))}['"]?""", "the file", text)
    return _QUOTE.split(said)[0].strip(" :")[:_LONGEST_TOLD]


def _meaning(text: str) -> str:
    if counts := _COLUMNS.findall(text):
        expected, found = map(int, counts[-1])
        # DuckDB stops counting at the first surplus column.
        few = f"it has {found} column{'s' * (found != 1)}, not {expected}"
        return few if found < expected else f"it has more than {expected} columns"
    told = [meaning for said, meaning in _MEANINGS.items() if said in text]
    return told[0] if told else "it cannot be read as CSV"


def line_of(path: Path, record: int, delimiter: str) -> int:
    """The line on which a record begins, from its number; DuckDB counts blank lines as records."""
    is_within, records, lines = False, 0, 0
    with path.open("rb") as content:
        for line in iter(lambda: content.readline(_LONGEST), b""):
            lines, records = lines + 1, records + (not is_within)
            if records == record:
                break
            is_within = goes_on(line, delimiter, is_within=is_within)
    return lines
