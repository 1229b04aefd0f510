"""What the keys of a contract are made of: durations, names of fields, parts without strangers."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictStr,
)
from pydantic_core import PydanticCustomError

from tidegate.contract.types import ColumnType

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: object) -> object:
    match = re.fullmatch(r"(\d{1,6})([smhd])", value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"{value!r} is not a duration; write a number and s, m, h or d: 15m")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _seconds(value: timedelta) -> str:
    return f"{int(value.total_seconds())}s"


Duration = Annotated[timedelta, BeforeValidator(_duration), PlainSerializer(_seconds)]


FieldName = Annotated[StrictStr, Field(min_length=1)]


class Part(BaseModel):
    """A part of a contract; a key it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


def misfit(at: str, message: str) -> PydanticCustomError:
    """The mistake `message` of the key `at`."""
    # A validator of a whole model does not know which key is at fault; `at` says it.
    return PydanticCustomError("misfit", "{text}", {"at": at, "text": message})


def refuse_repeated(at: str, names: list[str]) -> None:
    """Raise if a name comes twice."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise misfit(at, f"{', '.join(map(repr, repeated))} is named more than once; keep one")


def refuse_types(at: str, used: dict[str, ColumnType], fit: set[str], why: str) -> None:
    """Raise if a column is of a type that does not fit."""
    for name, type_ in used.items():
        if type_.name not in fit:
            raise misfit(at, f"column {name!r} is {type_}, which {why}; choose another")


def refuse_unknown(at: str, used: list[str], known: list[str], where: str) -> None:
    """Raise if a name is not known."""
    unknown = ", ".join(repr(name) for name in used if name not in known)
    if unknown:
        raise misfit(at, f"{unknown} is not found in {where}; add it there or write another name")
