"""`as_of`: how far a snapshot is known to hold the changes of its source."""

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
    """`text` as the first of the columns that order the contract's changes has its values.

    Raises:
        InvalidInputError: nothing orders the changes but their files, or `text` is no such value.
    """
    for name, order in contract.order_by.items():
        try:
            return _read(text, order)
        except (ValueError, InvalidOperation) as error:
            what = order.name if isinstance(order, Comparison) else order
            raise InvalidInputError(
                f"as_of {text!r} is no {what}, as {name!r} is, which orders {contract.table}"
            ) from error
    raise InvalidInputError(
        f"as_of cannot be compared with the changes of {contract.table}, which only their files "
        "order; leave it out"
    )


def _read(text: str, order: Order) -> str:
    if isinstance(order, Comparison):
        return _compared(text, order)
    return _READERS.get(order.name, _text)(text, order)


def time_of(as_of: str, contract: Contract) -> int | None:
    """The seconds since 1970 of an `as_of` that `read_as_of` gave, if it is a time."""
    first = next(iter(contract.order_by.values()))
    if first.name not in _TIMES:
        return None
    found = _moment(as_of)
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def refuse_unlike(as_of: str, contract: Contract, watermark: str | None) -> None:
    """Raise if texts order the changes, and `as_of` is not written as those that were loaded.

    All changes, or none, would be taken for known.

    Raises:
        RefreshRefusedError: `as_of` does not compare, or not with the value that `watermark` tells.
    """
    [name, order] = next(iter(contract.order_by.items()))
    if isinstance(order, Comparison) or order.name not in {"char", "varchar"}:
        return
    loaded = first_of_sequence(watermark or "")
    compares = alike(as_of, loaded) if loaded else any(known.reads(as_of) for known in KNOWN)
    if not compares:
        last = f" ({loaded!r} is the last one)" if loaded else ""
        raise RefreshRefusedError(
            f"{contract.table}: as_of {as_of!r} is not written as the values of {name!r} are, "
            f"which orders the changes{last}; write it so, or use force; nothing was changed"
        )
