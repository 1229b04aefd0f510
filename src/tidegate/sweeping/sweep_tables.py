"""The step sweep_tables: starts what is due, frees dead leases, finds objects without an event."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidegate.contract import Contract
from tidegate.landing.objects import LandedObject
from tidegate.landing.register_files import RegisterFiles
from tidegate.landing.starting import is_due
from tidegate.ledger import Catalogue, FileLedger, StateLedger, TableState
from tidegate.ledger.items import pieces

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_LISTED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class SweepTables:
    """Looks at every table; `is_running` tells of an execution's ARN whether it still runs."""

    contracts: Sequence[Contract]
    catalogue: Catalogue
    states: StateLedger
    start: Callable[[str], object]
    is_running: Callable[[str], bool]

    def __call__(self) -> list[str]:
        """Start the tables that are due, and give their names."""
        self.catalogue.publish(self.contracts)
        return [contract.table for contract in self.contracts if self._start_if_due(contract)]

    def _start_if_due(self, contract: Contract) -> bool:
        state = self._free_dead_lease(contract.table, self.states.read(contract.table))
        due = is_due(state, contract.freshness, self.states.now())
        if due:
            self.start(contract.table)
        return due

    def _free_dead_lease(self, table: str, state: TableState) -> TableState:
        holder = state.holder
        if holder is None or self.is_running(holder):
            return state
        self.states.release(table, state.fence)
        return self.states.read(table)


@dataclass(frozen=True, slots=True)
class FindMissed:
    """Compares the landing bucket with the ledger, some time at once, and goes on the next time."""

    register: RegisterFiles
    catalogue: Catalogue
    files: FileLedger
    s3: "S3Client"
    landing_bucket: str
    has_time: Callable[[], bool]

    def __call__(self) -> int:
        """Register objects the ledger does not know; give how many were looked at."""
        self._route_again()
        looked = 0
        for listed in pieces(self._list(self.catalogue.cursor()), _LISTED_AT_ONCE):
            self._register_unknown(listed)
            looked += len(listed)
            if not self.has_time():
                self.catalogue.move_cursor(listed[-1].key)
                return looked
        self.catalogue.move_cursor("")
        return looked

    def _route_again(self) -> None:
        for landed in self.files.unrouted():
            if self.register.router.contract_of(landed.key):
                self.register([landed])
                self.files.remove_unrouted(landed)

    def _register_unknown(self, listed: list[LandedObject]) -> None:
        by_table: dict[str | None, list[LandedObject]] = defaultdict(list)
        for one in listed:
            contract = self.register.router.contract_of(one.key)
            by_table[contract.table if contract else None].append(one)
        for table, objects in by_table.items():
            known = self.files.known(table, [one.id for one in objects])
            self.register([one for one in objects if one.id not in known])

    def _list(self, after: str) -> Iterator[LandedObject]:
        pages = self.s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.landing_bucket, StartAfter=after):
            for entry in page.get("Contents", []):
                yield LandedObject(
                    key=entry["Key"],
                    etag=entry["ETag"].strip('"'),
                    size=entry["Size"],
                    landed_at=int(entry["LastModified"].timestamp()),
                )
