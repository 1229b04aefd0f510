"""Positions: a text for each change. For each key the change with the highest position wins.

    epoch ' ' kind ' ' sequence ' ' file ' ' row
    000001 1 2024-08-09T19:27:17.787000 20240809-192717787.csv!/1723231637 0000000004

Positions compare byte by byte, exactly as the tuples of their parts would. A blank separates the
parts, because it sorts below every character that a part can hold. A blank inside a part is written
as '!P', an exclamation mark as '!Q'. The time when a file landed is part of its order: see Chunk.
"""

import hashlib
import re
from collections.abc import Iterable

from tidegate.column_types import ColumnType
from tidegate.comparison import Comparison, undeclared_sql

SNAPSHOT, CHANGE = 0, 1
SPELLING = 2  # increase it whenever names or texts get another spelling
LONGEST_POSITION = 512  # bytes; the length of the column _position
LONGEST_SEQUENCE = 160  # bytes
LONGEST_NAME = 255  # bytes of a spelled name; file systems hold no longer name
_LONGEST_FILE = LONGEST_NAME + 40  # bytes of name and folder
_DIGEST = 16  # characters
# 20141029-1134010000.csv: time and counter sort as text, with any number of digits.
# https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.S3.html
_DAY = "(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_TIME = "(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9][0-9]{3,}"
_OF_DMS = re.compile("[0-9]{35}")
_RUN = re.compile(f"(?P<sorted>^{_DAY}(?=-)(?:-{_TIME})?|0[0-9]*)|[1-9][0-9]*")


def head(epoch: int, kind: int) -> str:
    """Return the first parts of a position, which are the same for all rows of a file."""
    return f"{epoch:06d} {kind} "


def file_order(key: str, prefix: str, landed_at: int | None = None) -> str:
    """Return the part of a position that orders files as the source wrote them.

    The name comes first, because DMS puts the time into it. Pass `landed_at`, in seconds since
    1970, if the later of two files with the same name is newer. The folder comes last and only
    tells files apart: some date partitions do not sort, nor do the segments of a parallel load.
    A name that is too long to have an order is cut: see has_order.
    """
    folder, _, name = key.removeprefix(prefix).rpartition("/")
    spelled = _short(_spelled(name), LONGEST_NAME)
    landed = [] if landed_at is None else [f"{landed_at:010d}"]
    left = _LONGEST_FILE - len(spelled.encode())
    folders = [_short(escape(folder), left)] if folder else []
    # '!/' sorts below every character of a longer name, so whole names are compared first.
    return "!/".join([spelled, *landed, *folders])


def has_order(key: str) -> bool:
    """Tell whether the name of a file fits into a position without being cut."""
    return len(_spelled(key.rpartition("/")[2]).encode()) <= LONGEST_NAME


def _spelled(name: str) -> str:
    """Spell a file's name so that its numbers compare as numbers: part_9 before part_10.

    A number above 8 gets a nine and the count of its digits in front. A number that begins with a
    zero is a counter of fixed width, decimal or hexadecimal, as in LOAD0000000A. It stays as it is
    and sorts below all others.
    """
    return escape(_RUN.sub(lambda run: run["sorted"] or _counted(run[0]), name))


def _counted(digits: str) -> str:
    if digits < "9" and len(digits) == 1:
        return digits
    size = str(len(digits)) if len(digits) < 9 else f"9{len(digits):03d}"
    return f"9{size}{digits}"


def _short(text: str, longest: int) -> str:
    whole = text.encode()
    if len(whole) <= longest:
        return text
    kept = whole[: longest - _DIGEST - 4].decode(errors="ignore")
    return f"{kept}~{hashlib.sha256(whole).hexdigest()[:_DIGEST]}"


def escape(text: str) -> str:
    """Replace blanks and control characters in `text`, and keep its order."""
    return "".join(f"!{chr(ord(c) + 0x30)}" if c <= "!" else c for c in text)


def keeps_spelling(position: str, texts: Iterable[int]) -> bool:
    """Tell whether a position of spelling 1 would have the same spelling today.

    That is so for names like those of DMS, and for its change sequence. `texts` has the numbers of
    the parts of the sequence that are texts.
    """
    _, kind, *sequence, file, _ = position.split(" ")
    first, *others = file.split("!/")
    # In a snapshot's position, the time when the file landed stands before its name.
    name = others[0] if kind == str(SNAPSHOT) and others and len(first) == 10 else first
    raw = re.sub("!([0-Q])", lambda escaped: chr(ord(escaped[1]) - 0x30), name)
    held = [sequence[number] for number in texts if number < len(sequence)]
    return _spelled(raw) == name and all(part == "" or _OF_DMS.fullmatch(part) for part in held)


def row_sql(row: str) -> str:
    """Return the DuckDB expression for the last part; `row` is that of the row's number."""
    return f"lpad(({row})::varchar, 10, '0')"


def sequence_sql(value: str, order: ColumnType | Comparison) -> str:
    """Return the DuckDB expression that spells a sequence value so that it compares as text.

    The value has its column's type; for a text or a declared comparison it is the text itself. The
    spelling is null if the value is null or does not compare.
    """
    if isinstance(order, Comparison):
        return order.sql(value)
    match order.name:
        case "smallint" | "integer" | "bigint":
            return _integer_sql(f"({value})::hugeint", 19)
        case "decimal":
            return _decimal_sql(f"({value})", order)
        case "date" | "timestamp":
            return f"strftime(({value})::timestamp, '%Y-%m-%dT%H:%M:%S.%f')"
        case "timestamptz":
            return f"strftime(({value}) at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%f')"
        case _:
            return undeclared_sql(value)


def first_of_sequence(position: str) -> str:
    """Return the first part of the sequence in a position; empty for a snapshot's position."""
    _, kind, first, *_ = (*position.split(" "), "", "", "")
    return first if kind == str(CHANGE) else ""


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
