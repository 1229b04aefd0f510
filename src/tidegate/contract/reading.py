"""Reads contracts from YAML, and reports every mistake with file, line and remedy."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from difflib import get_close_matches
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tidegate.contract.lines import LinedYaml, YamlMistake, read_yaml
from tidegate.contract.model import Column, Contract
from tidegate.contract.names import control_table
from tidegate.contract.prefixes import PrefixTree
from tidegate.contract.sequence import SequencePart
from tidegate.contract.source import Options, Source
from tidegate.errors import ContractError

_MODELS: dict[str, type[BaseModel]] = {
    "source": Source,
    "options": Options,
    "sequence": SequencePart,
    "columns": Column,
}
_NO_MAPPING = "is not a mapping; write key: value lines below it"
_EMPTY = "is empty; write at least one"
_NOTHING = "has no value; write one, in quotes if it is the word null, or remove the key"
_A_MAPPING = "is a mapping; write a list"
# In {braces} YAML ends a value at the comma of decimal(12,2).
_CUT_AT_THE_COMMA = 'is cut off at a comma; put the type in quotes: type: "decimal(12,2)"'
_TEXTS = {
    "missing": "is missing; add it",
    "literal_error": "{value!r} is not supported; write {expected}",
    "string_type": "{value!r} is not text; put it in quotes",
    "list_type": "{value!r} is not a list; write [{value}]",
    "dict_type": _NO_MAPPING,
    "bool_type": "{value!r} is neither true nor false; write one of them",
    "model_type": _NO_MAPPING,
    "model_attributes_type": _NO_MAPPING,
    "too_short": _EMPTY,
    "string_too_short": _EMPTY,
}
# To find further mistakes, a wrong value is replaced by one that fits any other key, or removed.
_HARMLESS: dict[str | int, Any] = {"prefix": "x/", "header": True, "type": "varchar(1)"}
_DISPENSABLE = {
    *("freshness", "max_deletes", "refresh_floor", "evolve", "distkey", "sortkey", "widen"),
    *("snapshot", "before_image", "header", "null", "delimiter", "unsupplied", "as"),
}
_NAMES_VALUE = {name for name, text in _TEXTS.items() if "{value" in text}


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in a contract file; `line` counts from 1."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        """Return the mistake as compilers write theirs, so that editors can jump to it."""
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class _Read:
    path: Path
    yaml: LinedYaml
    contract: Contract


def read_contracts(folder: Path) -> list[Contract]:
    """Read all `*.yaml` and `*.yml` files directly in `folder`; return contracts sorted by table.

    Raises:
        ContractError: a file has mistakes. The message lists them all.
    """
    contracts, mistakes = check_contracts([folder])
    if mistakes:
        raise ContractError("\n".join(map(str, mistakes)))
    return contracts


def check_contracts(paths: Iterable[Path]) -> tuple[list[Contract], list[Mistake]]:
    """Read files, and folders of `*.yaml` and `*.yml` files; return contracts and mistakes."""
    read: list[_Read] = []
    mistakes: list[Mistake] = []
    for path in _files(paths):
        found = _read_file(path)
        if isinstance(found, _Read):
            read.append(found)
        else:
            mistakes.extend(found)
    mistakes.extend(_mistakes_between(read))
    contracts = sorted((item.contract for item in read), key=lambda contract: contract.table)
    return contracts, sorted(mistakes)


def _files(paths: Iterable[Path]) -> list[Path]:
    files: set[Path] = set()
    for path in paths:
        files.update([*path.glob("*.yaml"), *path.glob("*.yml")] if path.is_dir() else [path])
    return sorted(files)


def _read_file(path: Path) -> _Read | list[Mistake]:
    try:
        yaml = read_yaml(path.read_text(encoding="utf-8"))
        return _Read(path, yaml, Contract.model_validate(yaml.data))
    except OSError as error:
        return [Mistake(path, 1, f"cannot be read: {error.strerror}; give a file or a folder")]
    except UnicodeDecodeError as error:
        return [Mistake(path, 1, f"byte {error.start} is not UTF-8; save the file as UTF-8")]
    except YamlMistake as error:
        return [Mistake(path, error.line, error.text)]
    except ValidationError as error:
        found = error.errors()
        found += list(_hidden(yaml.data, found))
        # A mistake that could not be repaired is found once more.
        named = [one for details in found for one in _mistakes(path, yaml, details)]
        return list(dict.fromkeys(named))


def _hidden(data: Any, found: list[ErrorDetails]) -> Iterator[ErrorDetails]:  # noqa: ANN401
    """Yield the mistakes that other mistakes hide.

    pydantic checks a model as a whole only after all its parts are right. This repairs the wrong
    parts in a way that cannot make a new mistake, and checks again.
    """
    repaired, known = deepcopy(data), []
    while found:
        for details in found:
            for location in _locations(details):
                _repair(repaired, location, is_known=details["type"] != "extra_forbidden")
        known += [(details["loc"], details["msg"]) for details in found]
        try:
            Contract.model_validate(repaired)
        except ValidationError as error:
            found = [one for one in error.errors() if (one["loc"], one["msg"]) not in known]
            yield from found
        else:
            return


def _repair(data: Any, location: tuple[int | str, ...], *, is_known: bool) -> None:  # noqa: ANN401
    *path, key = location
    try:
        part = reduce(getitem, path, data)
    except (LookupError, TypeError):
        return  # pydantic also reports locations that are not in the data, as for a wrong key
    if not isinstance(part, dict):
        return
    if not is_known:
        value = part.pop(key, None)
        for near in _nearest(location):
            part.setdefault(near, value)
    elif key in _HARMLESS and not isinstance(part.get(key), bool):
        part[key] = _HARMLESS[key]
    elif key in _DISPENSABLE or "operations" in path:
        part.pop(key, None)


def _locations(details: ErrorDetails) -> list[tuple[int | str, ...]]:
    misfits = (details.get("ctx") or {}).get("misfits") or [("", "")]
    found = [details["loc"] + (_location(at) if at else ()) for at, _ in misfits]
    return [location for location in found if location]


def _mistakes(path: Path, yaml: LinedYaml, details: ErrorDetails) -> Iterator[Mistake]:
    context = details.get("ctx") or {}
    for at, text in context.get("misfits") or [("", _text(details))]:
        location = details["loc"] + (_location(at) if at else ())
        where = ".".join(str(part) for part in location)
        yield Mistake(path, yaml.line(location), f"{where}: {text}" if where else text)


def _location(at: str) -> tuple[int | str, ...]:
    return tuple(int(part) if part.isdecimal() else part for part in at.split("."))


def _text(details: ErrorDetails) -> str:
    if details["type"] == "extra_forbidden":
        if str(details["loc"][-1]).endswith(")"):
            return _CUT_AT_THE_COMMA
        known = f"known: {', '.join(_known(details['loc']))}"
        near = [f"did you mean {name!r}?" for name in _nearest(details["loc"])]
        return f"unknown key ({(near or [known])[0]}); correct or remove it"
    message = details["msg"].removeprefix("Value error, ")
    context = details.get("ctx") or {}
    template = _TEXTS.get(details["type"], "{message}")
    if details["input"] is None and details["type"] in _NAMES_VALUE:
        return _NOTHING
    if isinstance(details["input"], dict) and details["type"] == "list_type":
        return _A_MAPPING
    return template.format(message=message, value=details["input"], **context)


def _nearest(location: tuple[int | str, ...]) -> list[str]:
    """Return the known key that is most like the one written, if any is."""
    return get_close_matches(str(location[-1]), _known(location), n=1)


def _known(location: tuple[int | str, ...]) -> list[str]:
    parents = [part for part in location[:-1] if isinstance(part, str)]
    model = _MODELS[parents[-1]] if parents else Contract
    return [field.alias or name for name, field in model.model_fields.items()]


def _mistakes_between(read: list[_Read]) -> Iterator[Mistake]:
    """Yield the mistakes between contracts. Each names only one other contract."""
    by_control: dict[str, _Read] = {}
    by_prefix: PrefixTree[_Read] = PrefixTree()
    for item in read:
        namesake = by_control.setdefault(_control(item.contract), item)
        if namesake is not item:
            yield _between(item, namesake, ("table",), _clash(item.contract, namesake.contract))
        prefix = item.contract.source.prefix
        other = by_prefix.overlapping(prefix)
        if other and _control(other.contract) != _control(item.contract):
            claims = f"{prefix!r} and {other.contract.source.prefix!r} claim the same objects"
            yield _between(item, other, ("source", "prefix"), f"{claims}; make them differ")
        by_prefix.add(prefix, item)


def _between(item: _Read, other: _Read, at: tuple[str, ...], text: str) -> Mistake:
    where = f"{'.'.join(at)}: {text} (see {other.path})"
    return Mistake(item.path, item.yaml.line(at), where)


def _clash(one: Contract, other: Contract) -> str:
    if one.table == other.table:
        return f"{one.table!r} has a contract already; keep one of the two"
    return f"{one.table!r} would share control tables; rename the target"


def _control(contract: Contract) -> str:
    return control_table(contract.schema_name, contract.table_name, "batches")
