"""Reads `as_of`: a snapshot holds all changes of its source up to that value."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from tidegate.column_types import ColumnType
from tidegate.comparison import KNOWN, TIMESTAMP, Comparison, alike
from tidegate.contract import Contract
from tidegate.contract.sequence import Order
from tidegate.errors import InvalidInputError, RefreshRefusedError
from tidegate.position import first_of_sequence

_TIMES = {"timestamp", "timestamptz", "date"}
_BITS = {"smallint": 16, "integer": 32, "bigint": 64}


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


def _compared(text: str, order: Comparison) -> str:
    if not order.reads(text):
        raise ValueError("of another form")
    if order is TIMESTAMP:
        _moment(text)
    return text


def _moment(text: str) -> datetime:
    # Python reads neither a blank before the zone nor the name UTC.
    return datetime.fromisoformat(re.sub(" (?=[Z+-])", "", re.sub(" ?UTC$", "Z", text)))


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
    """Read `text` as a value of the first column that orders the contract's changes.

    Raises:
        InvalidInputError: only files order the changes, or `text` is not such a value.
    """
    for name, order in contract.order_by.items():
        try:
            return _read(text, order)
        except (ValueError, InvalidOperation) as error:
            form = order.name if isinstance(order, Comparison) else order
            raise InvalidInputError(
                f"as_of {text!r} is not of type {form}, like {name!r}, which orders the changes of "
                f"{contract.table}; write a value of that type"
            ) from error
    raise InvalidInputError(
        f"as_of cannot be compared with the changes of {contract.table}, because only their files "
        "order them; leave it out"
    )


def _read(text: str, order: Order) -> str:
    if isinstance(order, Comparison):
        return _compared(text, order)
    return _READERS.get(order.name, _text)(text, order)


def time_of(as_of: str, contract: Contract) -> int | None:
    """Return an `as_of` from `read_as_of` in seconds since 1970; None if it is not a time."""
    first = next(iter(contract.order_by.values()))
    if first.name not in _TIMES:
        return None
    found = _moment(as_of)
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def refuse_unlike(as_of: str, contract: Contract, watermark: str | None) -> None:
    """Refuse an `as_of` that does not have the form of the texts that order the changes.

    With such an `as_of` Tidegate would ignore all changes, or none.

    Raises:
        RefreshRefusedError: `as_of` does not compare, or not with the value in `watermark`.
    """
    [name, order] = next(iter(contract.order_by.items()))
    if isinstance(order, Comparison) or order.name not in {"char", "varchar"}:
        return
    loaded = first_of_sequence(watermark or "")
    compares = alike(as_of, loaded) if loaded else any(known.reads(as_of) for known in KNOWN)
    if not compares:
        last = f" (its last value is {loaded!r})" if loaded else ""
        raise RefreshRefusedError(
            f"{contract.table}: as_of {as_of!r} is not written like the values of {name!r}, which "
            f"orders the changes{last}; write it like them, or use force; nothing was changed"
        )
