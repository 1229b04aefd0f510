"""`as_of`: how far a snapshot is known to hold the changes of its source."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from tidegate.contract import Contract
from tidegate.contract.types import ColumnType
from tidegate.errors import InvalidInputError, RefreshRefusedError
from tidegate.position import first_of_sequence, is_number, normalised

_TIMES = {"timestamp", "timestamptz", "date"}
_BITS = {"smallint": 16, "integer": 32, "bigint": 64}
_HEXADECIMAL = re.compile("[0-9A-Fa-f]+")


def _timestamp(text: str, _: ColumnType) -> str:
    found = datetime.fromisoformat(text)
    found = found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    return found.isoformat(" ", "microseconds")


def _zoned(text: str, type_: ColumnType) -> str:
    return _timestamp(text, type_) + "+00:00"


def _date(text: str, _: ColumnType) -> str:
    return datetime.fromisoformat(text).date().isoformat()


def _whole(text: str, type_: ColumnType) -> str:
    found = int(text)
    if not -(2 ** (_BITS[type_.name] - 1)) <= found < 2 ** (_BITS[type_.name] - 1):
        raise ValueError("too large")
    return str(found)


def _decimal(text: str, type_: ColumnType) -> str:
    found = Decimal(text)
    if not found.is_finite() or abs(found) >= 10 ** ((type_.precision or 0) - (type_.scale or 0)):
        raise ValueError("no number, or too large")
    return str(found)


def _text(text: str, _: ColumnType) -> str:
    return text


_READERS: dict[str, Callable[[str, ColumnType], str]] = {
    "timestamp": _timestamp,
    "timestamptz": _zoned,
    "date": _date,
    "smallint": _whole,
    "integer": _whole,
    "bigint": _whole,
    "decimal": _decimal,
}


def read_as_of(text: str, contract: Contract) -> str:
    """`text` as the first of the columns that order the contract's changes has its values.

    Raises:
        InvalidInputError: nothing orders the changes but their files, or `text` is no such value.
    """
    for name, type_ in contract.order_by.items():
        try:
            return _READERS.get(type_.name, _text)(text, type_)
        except (ValueError, InvalidOperation) as error:
            raise InvalidInputError(
                f"as_of {text!r} is no {type_}, as {name!r} is, which orders {contract.table}"
            ) from error
    raise InvalidInputError(
        f"as_of cannot be compared with the changes of {contract.table}, which only their files "
        "order; leave it out"
    )


def time_of(as_of: str, contract: Contract) -> int | None:
    """The seconds since 1970 of an `as_of` that `read_as_of` gave, if it is a time."""
    first = next(iter(contract.order_by.values()))
    if first.name not in _TIMES:
        return None
    found = datetime.fromisoformat(as_of)
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def refuse_unlike(as_of: str, contract: Contract, watermark: str | None) -> None:
    """Raise if texts order the changes, and `as_of` is not written as those that were loaded.

    It would be compared all the same, and all changes, or none, would be taken for known.

    Raises:
        RefreshRefusedError: `watermark` tells a value that cannot be compared with `as_of`.
    """
    [name, type_] = next(iter(contract.order_by.items()))
    loaded = first_of_sequence(watermark or "")
    if type_.name in {"char", "varchar"} and loaded and not _alike(normalised(as_of), loaded):
        raise RefreshRefusedError(
            f"{contract.table}: as_of {as_of!r} is not written as the values of {name!r} are, "
            f"which orders the changes ({loaded!r} is the last one); write it so, or use force; "
            "nothing was changed"
        )


def _alike(one: str, other: str) -> bool:
    """Whether two texts of a position are of one form, so that their order means something."""
    if not (one.isdigit() and other.isdigit()):
        return _form(one) == _form(other)
    # Numbers are as wide as each other there; what is none has to be as long as the other.
    return (is_number(one) and is_number(other)) or _length(one) == _length(other)


def _length(digits: str) -> int:
    return len(str(int(digits[1:]))) if is_number(digits) else len(digits)


def _form(text: str) -> str:
    """The separators of a text, with `a` for what may be a number, and `b` for other words."""
    return re.sub(r"[^\W_]+", lambda word: "a" if _HEXADECIMAL.fullmatch(word[0]) else "b", text)
