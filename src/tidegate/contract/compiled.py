"""Compiled contracts: a form that functions load in milliseconds.

Reading and checking the YAML of thousands of contracts takes seconds. The build does it once, for
the layer: see layers/contracts. A function then loads the index, and each contract when it needs
it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tidegate.contract.model import Contract
from tidegate.contract.routes import Route
from tidegate.errors import ContractError

INDEX, CONTRACTS = "routes.json", "contracts.jsonl"
_AGAIN = "build and deploy again, or see tidegate compile"


def write_contracts(contracts: Iterable[Contract], folder: Path) -> None:
    """Write `contracts` into `folder`, in the form that `CompiledContracts` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    with (folder / CONTRACTS).open("wb") as lines:
        for contract in contracts:
            index.append([lines.tell(), *_plain(contract.route)])
            lines.write(json.dumps(contract.as_written()).encode() + b"\n")
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")


class CompiledContracts(Mapping[str, Contract]):
    """The contracts in a folder, by table. It reads a contract when you look it up.

    Raises:
        ContractError: at once, if the folder holds no compiled contracts; at a look-up, if this
            version of Tidegate does not understand the contract.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / CONTRACTS
        try:
            index = json.loads((folder / INDEX).read_bytes())
        except FileNotFoundError as error:
            raise ContractError(f"there is no {folder / INDEX}; {_AGAIN}") from error
        self.routes = [_route(*plain) for _, *plain in index]
        self._offsets = {table: offset for offset, table, *_ in index}

    def __getitem__(self, table: str) -> Contract:
        """Read the contract of `table`."""
        offset = self._offsets[table]
        with self._path.open("rb") as lines:
            lines.seek(offset)
            line = lines.readline()
        try:
            return Contract.model_validate(json.loads(line))
        except (ValueError, ValidationError) as error:
            raise ContractError(f"{self._path} holds no contract of {table}; {_AGAIN}") from error

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the tables."""
        return iter(self._offsets)

    def __len__(self) -> int:
        """Count the contracts."""
        return len(self._offsets)


def _plain(route: Route) -> list[Any]:
    return [*route[:-1], route.freshness.total_seconds()]


def _route(table: str, prefix: str, snapshot: list[str], write: str, *rest: Any) -> Route:  # noqa: ANN401
    is_ordered, seconds = rest
    return Route(table, prefix, tuple(snapshot), write, is_ordered, timedelta(seconds=seconds))
