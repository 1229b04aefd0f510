"""Reading contracts from YAML, and naming every mistake with file, line and remedy."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tidegate.contract.lines import LinedYaml, YamlMistake, read_yaml
from tidegate.contract.model import Column, Contract
from tidegate.contract.names import control_table
from tidegate.contract.source import Options, Source
from tidegate.errors import ContractError

_MODELS: dict[str, type[BaseModel]] = {"source": Source, "options": Options, "columns": Column}
_NO_MAPPING = "is not a mapping; write key: value lines below it"
_EMPTY = "is empty; write at least one"
_TEXTS = {
    "missing": "is missing; add it",
    "literal_error": "{value!r} is not supported; write {expected}",
    "string_type": "{value!r} is not text; put it in quotes",
    "list_type": "{value!r} is not a list; write [{value}]",
    "bool_type": "{value!r} is neither true nor false; write one of them",
    "model_type": _NO_MAPPING,
    "model_attributes_type": _NO_MAPPING,
    "too_short": _EMPTY,
    "string_too_short": _EMPTY,
}


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing wrong in a contract file; `line` counts from 1."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        """The mistake as compilers write theirs, so that editors jump to it."""
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class _Read:
    path: Path
    yaml: LinedYaml
    contract: Contract


def read_contracts(folder: Path) -> list[Contract]:
    """The contracts of all `*.yaml` files directly in `folder`, by table name.

    Raises:
        ContractError: a file has mistakes; the message lists them all.
    """
    contracts, mistakes = check_contracts([folder])
    if mistakes:
        raise ContractError("\n".join(map(str, mistakes)))
    return contracts


def check_contracts(paths: Iterable[Path]) -> tuple[list[Contract], list[Mistake]]:
    """Read files, and folders of `*.yaml` and `*.yml` files; give what is right and what is not."""
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
        return [_mistake(path, yaml, details) for details in error.errors()]


def _mistake(path: Path, yaml: LinedYaml, details: ErrorDetails) -> Mistake:
    at = (details.get("ctx") or {}).get("at")
    location = details["loc"] + (_location(str(at)) if at else ())
    where = ".".join(str(part) for part in location)
    text = _text(details)
    return Mistake(path, yaml.line(location), f"{where}: {text}" if where else text)


def _location(at: str) -> tuple[int | str, ...]:
    return tuple(int(part) if part.isdecimal() else part for part in at.split("."))


def _text(details: ErrorDetails) -> str:
    if details["type"] == "extra_forbidden":
        return f"unknown key{_nearest(details['loc'])}; correct or remove it"
    message = details["msg"].removeprefix("Value error, ")
    context = details.get("ctx") or {}
    template = _TEXTS.get(details["type"], "{message}")
    return template.format(message=message, value=details["input"], **context)


def _nearest(location: tuple[int | str, ...]) -> str:
    parents = [part for part in location[:-1] if isinstance(part, str)]
    model = _MODELS[parents[-1]] if parents else Contract
    known = [field.alias or name for name, field in model.model_fields.items()]
    near = get_close_matches(str(location[-1]), known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else f" (known: {', '.join(known)})"


def _mistakes_between(read: list[_Read]) -> list[Mistake]:
    mistakes = []
    for number, item in enumerate(read):
        for other in read[:number]:
            at, text = _conflict(item.contract, other.contract)
            if text:
                line = item.yaml.line(at)
                mistakes.append(Mistake(item.path, line, f"{text} (see {other.path})"))
    return mistakes


def _conflict(one: Contract, other: Contract) -> tuple[tuple[str, ...], str]:
    if one.table == other.table:
        return ("table",), f"table: {one.table!r} has a contract already; keep one of the two"
    if _control(one) == _control(other):
        return ("table",), f"table: {one.table!r} would share control tables; rename the target"
    first, second = one.source.prefix, other.source.prefix
    if first.startswith(second) or second.startswith(first):
        text = f"source.prefix: {first!r} and {second!r} claim the same objects; make them differ"
        return ("source", "prefix"), text
    return (), ""


def _control(contract: Contract) -> str:
    return control_table(contract.schema_name, contract.table_name, "batches")
