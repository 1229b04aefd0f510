"""The step register_files: what landed is recorded, and tables that are due are started."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tidegate.contract import Contract
from tidegate.landing.objects import LandedFile, LandedObject
from tidegate.landing.routing import Router, is_data, place
from tidegate.landing.starting import is_due
from tidegate.ledger import FileLedger, Registered, StateLedger


@dataclass(frozen=True, slots=True)
class RegisterFiles:
    """Takes objects as they are told of: late, twice, or in any order."""

    router: Router
    files: FileLedger
    states: StateLedger
    start: Callable[[str], object]

    def __call__(self, landed: Iterable[LandedObject]) -> dict[str, int]:
        """Record `landed`; give how many objects of each table, and of none, there were.

        Nothing is lost if this dies half-way: told again of the same objects, it does the rest.
        """
        by_table: dict[str, list[LandedFile]] = defaultdict(list)
        contracts: dict[str, Contract] = {}
        unrouted = 0
        for one in filter(lambda one: is_data(one.key), landed):
            contract = self.router.contract_of(one.key)
            if contract:
                contracts[contract.table] = contract
                by_table[contract.table].append(place(one, contract))
            else:
                self.files.add_unrouted(one)
                unrouted += 1
        for table, files in by_table.items():
            self._register(contracts[table], files)
        return {table: len(files) for table, files in by_table.items()} | {"unrouted": unrouted}

    def _register(self, contract: Contract, files: list[LandedFile]) -> None:
        known = self.files.register(contract.table, files)
        if known <= {Registered.SETTLED}:
            return
        state = self.states.wake(contract.table, min(file.landed_at for file in files))
        if is_due(state, contract.freshness, self.states.now()):
            self.start(contract.table)
