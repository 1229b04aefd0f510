"""`as_of`: how far a snapshot is known to hold the changes of its source."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from tidegate.contract import Contract
from tidegate.errors import InvalidInputError


def _timestamp(text: str) -> str:
    found = datetime.fromisoformat(text)
    found = found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    return found.isoformat(" ", "microseconds")


def _zoned(text: str) -> str:
    return _timestamp(text) + "+00:00"


def _date(text: str) -> str:
    return datetime.fromisoformat(text).date().isoformat()


def _whole(text: str) -> str:
    return str(int(text))


def _decimal(text: str) -> str:
    found = Decimal(text)
    if not found.is_finite():
        raise ValueError("no number")
    return str(found)


_TIMES = {"timestamp", "timestamptz", "date"}
_READERS: dict[str, Callable[[str], str]] = {
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
            return _READERS.get(type_.name, str)(text)
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
