"""Building blocks of the contract models: durations, field names and shared checks."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
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

from tidegate.column_types import ColumnType

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
    """Base of the parts of a contract. An unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


Misfit = tuple[str, str]  # the key at fault, and what is wrong with it and what to do


def refuse(misfits: Iterable[Misfit]) -> None:
    """Raise one error with all `misfits`, if there are any: see tidegate.contract.reading."""
    # pydantic does not know which key is at fault if a whole model is wrong; each misfit names it.
    if found := list(misfits):
        text = "; ".join(f"{at}: {text}" for at, text in found)
        raise PydanticCustomError("misfits", "{text}", {"text": text, "misfits": found})


def repeated(at: str, names: Iterable[str]) -> Iterator[Misfit]:
    """Yield a misfit if names come more than once."""
    again = sorted(name for name, count in Counter(names).items() if count > 1)
    if again:
        yield at, f"{', '.join(map(repr, again))} is named more than once; keep one"


def unfit(at: str, used: Mapping[str, ColumnType], fit: set[str], why: str) -> Iterator[Misfit]:
    """Yield a misfit for each column whose type is not in `fit`."""
    for name, type_ in used.items():
        if type_.name not in fit:
            yield at, f"column {name!r} is {type_}, which {why}; choose another"


def unknown(at: str, used: Iterable[str], known: Collection[str], where: str) -> Iterator[Misfit]:
    """Yield a misfit if names are not in `known`."""
    strange = ", ".join(repr(name) for name in used if name not in known)
    if strange:
        yield at, f"{strange} is not found in {where}; add it there or write another name"
