"""Reads the limits of a contract: `5000` or `50%` for rows, `512MB` or `2GB` for sizes."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, PlainValidator


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of rows, or a percentage of the rows of a table."""

    number: int
    is_percentage: bool = False

    def __str__(self) -> str:
        """Return the limit as a contract writes it."""
        return f"{self.number}%" if self.is_percentage else str(self.number)


HALF = Limit(50, is_percentage=True)


def _limit(value: object) -> Limit:
    if isinstance(value, Limit):
        return value
    match = re.fullmatch(r"(\d{1,18})(%?)", str(value)) if isinstance(value, str | int) else None
    if not match or isinstance(value, bool) or (match[2] and int(match[1]) > 100):
        raise ValueError(
            f"{value!r} is not a number of rows; write a number, or at most 100%: 5000, 50%"
        )
    return Limit(int(match[1]), is_percentage=bool(match[2]))


def _nothing(value: object) -> object:
    return None if value == "none" else value


RowLimit = Annotated[Limit, PlainValidator(_limit), PlainSerializer(str)]
OptionalRowLimit = Annotated[RowLimit | None, BeforeValidator(_nothing)]

_MEGABYTE = 1 << 20
_UNITS = {"MB": _MEGABYTE, "GB": 1024 * _MEGABYTE}


def _size(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value % _MEGABYTE == 0:
        return value
    match = re.fullmatch(r"([1-9]\d{0,5})(MB|GB)", value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"{value!r} is not a size; write a number and MB or GB: 512MB")
    return int(match[1]) * _UNITS[match[2]]


def written_size(size: int) -> str:
    """Return a size in bytes as a contract writes it, in whole megabytes."""
    megabytes = size // _MEGABYTE
    return f"{megabytes}MB" if megabytes % 1024 else f"{megabytes // 1024}GB"


Size = Annotated[int, PlainValidator(_size), PlainSerializer(written_size)]
