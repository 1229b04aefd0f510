"""Routing: which contract an object belongs to, and where it stands in source order."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tidegate.contract import Contract
from tidegate.contract.source import OF_DMS
from tidegate.landing.markers import is_marker
from tidegate.landing.objects import LandedFile, LandedObject
from tidegate.position import CHANGE, SNAPSHOT, file_order


@dataclass(frozen=True, slots=True)
class Router:
    """Finds the contract of an object by the prefix of its key; contracts never overlap."""

    contracts: Sequence[Contract]

    def contract_of(self, key: str) -> Contract | None:
        """The contract that claims `key`, if any."""
        for contract in self.contracts:
            if key.startswith(contract.source.prefix):
                return contract
        return None

    def by_contract(
        self, landed: Iterable[LandedObject]
    ) -> list[tuple[Contract | None, list[LandedObject]]]:
        """What holds data of `landed`, by the contract that claims it; by None if none does."""
        contracts: dict[str, Contract | None] = {}
        claimed: dict[str, list[LandedObject]] = defaultdict(list)
        for one in filter(lambda one: is_data(one.key), landed):
            contract = self.contract_of(one.key)
            table = contract.table if contract else ""
            contracts[table] = contract
            claimed[table].append(one)
        return [(contracts[table], objects) for table, objects in claimed.items()]


def is_data(key: str) -> bool:
    """Whether an object holds data: no marker, no control table of DMS.

    DMS keeps tables awsdms_* of its own beside those it copies:
    https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Task.ControlTables.html
    """
    folders = key.split("/")[:-1]
    return not is_marker(key) and not any(name.startswith(OF_DMS) for name in folders)


def place(landed: LandedObject, contract: Contract) -> LandedFile:
    """`landed` as a file of the contract's table, with its kind and its order."""
    name = landed.key.rpartition("/")[2]
    whole = any(fnmatchcase(name, pattern) for pattern in contract.source.snapshot)
    kind = SNAPSHOT if whole or contract.write == "replace" else CHANGE
    # A snapshot that returns is one more, even if it was landed before and still waits.
    landed_at = landed.landed_at if contract.write == "replace" else None
    order = file_order(landed.key, contract.source.prefix, landed_at)
    return LandedFile(**landed.model_dump(), kind=kind, order=order)


def counts_again(contract: Contract, file: LandedFile) -> bool:
    """Whether `file`, which was applied, is newer than what came since when it lands as it was."""
    return contract.write != "append" and (file.kind == SNAPSHOT or not contract.order_by)
