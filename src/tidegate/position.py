"""Positions: the text by which changes are ordered, per key and against the watermark.

    epoch ' ' kind ' ' sequence ' ' file ' ' row
    000001 1 2024-08-09T19:27:17.787000 20240809-192717787.csv 0000000004

The parts are separated by a blank, which sorts below every character a part can hold (blanks and
exclamation marks inside a part are written as '!P' and '!Q'), so that positions compare byte by
byte as the tuples of their parts would. Where there is no sequence, the file is told from others
of its name as well: see Chunk.
"""

import hashlib

from tidegate.contract.types import ColumnType

SNAPSHOT, CHANGE = 0, 1
LONGEST_POSITION = 512  # bytes; the length of the column _position
_LONGEST_FILE = 120  # bytes
_KEPT_OF_LONG_FILE = 100
_DIGITS = 35  # as many as the $AR_H_CHANGE_SEQ of DMS has, which so stays as it is
_NUMBER = "[1-9][0-9]*(\\.0*)?"  # pandas makes 4.0 of the 4 in a column with a null


def head(epoch: int, kind: int) -> str:
    """The first parts of a position: those that are the same for a whole file."""
    return f"{epoch:06d} {kind} "


def file_order(key: str, prefix: str) -> str:
    """The part of a position that orders files as the source wrote them.

    DMS puts the time into the file's name; folders above it (date partitions, some of which do not
    sort, and segments of a parallel load) only tell apart files of one name.
    """
    folder, _, name = key.removeprefix(prefix).rpartition("/")
    # '!/' sorts below whatever a longer name goes on with, so names are compared before folders.
    text = escape(name) + (f"!/{escape(folder)}" if folder else "")
    if len(text.encode()) <= _LONGEST_FILE:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    kept = text.encode()[:_KEPT_OF_LONG_FILE].decode(errors="ignore")
    return f"{kept}~{digest}"


def escape(text: str) -> str:
    """`text` without blanks and controls, ordered as before."""
    return "".join(f"!{chr(ord(c) + 0x30)}" if c <= "!" else c for c in text)


def row_sql(row: str) -> str:
    """DuckDB expression of the last part, from one that gives the number of the row in its file."""
    return f"lpad(({row})::varchar, 10, '0')"


def sequence_sql(value: str, type_: ColumnType) -> str:
    """DuckDB expression that normalises a sequence value of its type, to compare as text.

    It is null where the value is, and where a text is empty or holds a control character. A text of
    digits, with nothing but zeros behind a point, compares as the number that it is, unless it
    begins with a zero: then texts are of one width, and it may be a hexadecimal one. The '1' before
    a number is above that zero.
    """
    match type_.name:
        case "smallint" | "integer" | "bigint":
            return _integer_sql(f"({value})::hugeint", 19)
        case "decimal":
            return _decimal_sql(f"({value})", type_)
        case "date" | "timestamp":
            return f"strftime(({value})::timestamp, '%Y-%m-%dT%H:%M:%S.%f')"
        case "timestamptz":
            return f"strftime(({value}) at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%f')"
        case _:
            escaped = f"replace(replace({value}, '!', '!Q'), ' ', '!P')"
            return (
                f"case when {value} = '' or regexp_matches({value}, '[[:cntrl:]]') then null "
                f"when length({value}) < {_DIGITS} and regexp_full_match({value}, '{_NUMBER}') "
                f"then '1' || lpad(split_part({value}, '.', 1), {_DIGITS - 1}, '0') "
                f"when contains({value}, '!') or contains({value}, ' ') then {escaped} "
                f"else {value} end"
            )


def _integer_sql(number: str, digits: int) -> str:
    # Below zero the digits count down, and '-' sorts below every digit.
    below = f"'-' || lpad(({number} + {10**digits}::hugeint)::varchar, {digits}, '0')"
    return f"case when {number} < 0 then {below} else lpad({number}::varchar, {digits}, '0') end"


def _decimal_sql(number: str, type_: ColumnType) -> str:
    precision, scale = type_.precision or 0, type_.scale or 0
    whole = max(precision - scale, 1)
    digits = whole + 1 + scale if scale else whole
    padded = f"lpad(abs({number})::varchar, {digits}, '0')"
    mirrored = f"'-' || translate({padded}, '0123456789', '9876543210')"
    return f"case when {number} < 0 then {mirrored} else {padded} end"
