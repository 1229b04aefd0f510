"""Positions: the text by which changes are ordered, per key and against the watermark.

    epoch ' ' kind ' ' sequence ' ' file ' ' row
    000001 1 2024-08-09T19:27:17.787000 20240809-192717787.csv!/1723231637 0000000004

The parts are separated by a blank, which sorts below every character a part can hold (blanks and
exclamation marks inside a part are written as '!P' and '!Q'), so that positions compare byte by
byte as the tuples of their parts would. When a file landed is part of its order, see Chunk.
"""

import hashlib
import re
from collections.abc import Iterable

from tidegate.column_types import ColumnType
from tidegate.comparison import Comparison, undeclared_sql

SNAPSHOT, CHANGE = 0, 1
SPELLING = 2  # goes up when names or texts are spelled otherwise than they were
LONGEST_POSITION = 512  # bytes; the length of the column _position
LONGEST_SEQUENCE = 160  # bytes
LONGEST_NAME = 255  # bytes of a spelled name; file systems hold no longer ones
_LONGEST_FILE = LONGEST_NAME + 40  # bytes of name and folder
_DIGEST = 16  # characters
# 20141029-1134010000.csv: time and counter sort as text, however many digits they have.
# https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.S3.html
_DAY = "(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_TIME = "(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9][0-9]{3,}"
_OF_DMS = re.compile("[0-9]{35}")
_RUN = re.compile(f"(?P<sorted>^{_DAY}(?=-)(?:-{_TIME})?|0[0-9]*)|[1-9][0-9]*")


def head(epoch: int, kind: int) -> str:
    """The first parts of a position: those that are the same for a whole file."""
    return f"{epoch:06d} {kind} "


def file_order(key: str, prefix: str, landed_at: int | None = None) -> str:
    """The part of a position that orders files as the source wrote them.

    DMS puts the time into the file's name. Of files of one name the one that landed later is newer,
    if `landed_at`, in seconds since 1970, is to count. Folders (date partitions, some of which do
    not sort, and segments of a parallel load) only tell apart what is left. A name that is too long
    to have an order is cut: see has_order.
    """
    folder, _, name = key.removeprefix(prefix).rpartition("/")
    spelled = _short(_spelled(name), LONGEST_NAME)
    landed = [] if landed_at is None else [f"{landed_at:010d}"]
    left = _LONGEST_FILE - len(spelled.encode())
    folders = [_short(escape(folder), left)] if folder else []
    # '!/' sorts below whatever a longer name goes on with, so names are compared first.
    return "!/".join([spelled, *landed, *folders])


def has_order(key: str) -> bool:
    """Whether the name of a file is short enough to stand in a position as it is."""
    return len(_spelled(key.rpartition("/")[2]).encode()) <= LONGEST_NAME


def _spelled(name: str) -> str:
    """The name of a file so that its numbers compare as numbers: part_9 before part_10.

    Those above 8 have a nine and the count of their digits before them. Those that begin with a
    zero are counters of one width, decimal or hexadecimal, as in LOAD0000000A: they stay as they
    are, below all others.
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
    """`text` without blanks and controls, ordered as before."""
    return "".join(f"!{chr(ord(c) + 0x30)}" if c <= "!" else c for c in text)


def keeps_spelling(position: str, texts: Iterable[int]) -> bool:
    """Whether a position of spelling 1 would be spelled so today.

    That holds for names like those of DMS, and for its change sequence. `texts` are the numbers of
    those parts of the sequence that are texts.
    """
    _, kind, *sequence, file, _ = position.split(" ")
    first, *others = file.split("!/")
    # Before the name of a full load stands when it landed.
    name = others[0] if kind == str(SNAPSHOT) and others and len(first) == 10 else first
    raw = re.sub("!([0-Q])", lambda escaped: chr(ord(escaped[1]) - 0x30), name)
    held = [sequence[number] for number in texts if number < len(sequence)]
    return _spelled(raw) == name and all(part == "" or _OF_DMS.fullmatch(part) for part in held)


def row_sql(row: str) -> str:
    """DuckDB expression of the last part, from one that gives the number of the row in its file."""
    return f"lpad(({row})::varchar, 10, '0')"


def sequence_sql(value: str, order: ColumnType | Comparison) -> str:
    """DuckDB expression that spells a sequence value so that it compares as text.

    The value is of its type, or the text itself where that is what compares. The spelling is null
    where the value is, and where it does not compare.
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
    """The first part of the sequence within a position; empty if it is of a snapshot."""
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
