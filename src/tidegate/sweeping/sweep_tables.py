"""The step sweep_tables: starts what is due, frees dead leases, finds objects without an event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidegate.contract import Contract
from tidegate.landing.listing import list_landed
from tidegate.landing.objects import LandedObject
from tidegate.landing.register_files import UNROUTED, RegisterFiles
from tidegate.landing.starting import is_due
from tidegate.ledger import Catalogue, FileLedger, StateLedger, TableState
from tidegate.ledger.items import pieces
from tidegate.sweeping.failures import TableFailures

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_LISTED_AT_ONCE = 1_000
_ROUTED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class SweepTables:
    """Looks at every table; `is_running` tells of an execution's ARN whether it still runs."""

    contracts: Sequence[Contract]
    catalogue: Catalogue
    states: StateLedger
    start: Callable[[str], object]
    is_running: Callable[[str], bool]

    def __call__(self) -> list[str]:
        """Start the tables that are due, and give their names.

        Raises:
            SweepFailedError: some tables could not be looked at or started; the others were.
        """
        self.catalogue.publish(self.contracts)
        failures = TableFailures()
        started: list[str] = []
        for contract in self.contracts:
            with failures.of(contract.table):
                if self._start_if_due(contract):
                    started.append(contract.table)
        failures.raise_any()
        return started

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
        """Register objects the ledger does not know; give how many were looked at.

        Raises:
            SweepFailedError: objects of some tables could not be registered; the others were.
        """
        failures = TableFailures()
        self._route_again(failures)
        looked = self._look(failures)
        failures.raise_any()
        return looked

    def _look(self, failures: TableFailures) -> int:
        looked = 0
        found = list_landed(self.s3, self.landing_bucket, after=self.catalogue.cursor())
        for listed in pieces(found, _LISTED_AT_ONCE):
            self._register_unknown(listed, failures)
            looked += len(listed)
            if not self.has_time():
                self.catalogue.move_cursor(listed[-1].key)
                return looked
        self.catalogue.move_cursor("")
        return looked

    def _route_again(self, failures: TableFailures) -> None:
        """Register what a new contract claims, as far as there is time."""
        for some in pieces(self.files.unrouted(), _ROUTED_AT_ONCE):
            claimed = [one for one in some if self.register.router.contract_of(one.key)]
            done = self.register(claimed)
            failures.add(done.failures)
            for one in claimed:
                if one not in done.failed:
                    self.files.remove_unrouted(one)
            if not self.has_time():
                return

    def _as_they_wait(self, table: str, listed: list[LandedObject]) -> list[LandedObject]:
        """Those of `listed` that wait already with the time by which they wait.

        S3 dates an object of many parts from its first one, the event from its last:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
        A file of a replaced table would wait at both times.
        """
        times = {file.id: file.landed_at for file in self.files.pending(table)}
        return [
            one.model_copy(update={"landed_at": times.get(one.id, one.landed_at)}) for one in listed
        ]

    def _register_unknown(self, listed: list[LandedObject], failures: TableFailures) -> None:
        for contract, objects in self.register.router.by_contract(listed):
            table = contract.table if contract else None
            with failures.of(table or UNROUTED):
                known = self.files.known(table, [one.id for one in objects])
                unknown = [one for one in objects if one.id not in known]
                if unknown and contract and contract.write == "replace":
                    unknown = self._as_they_wait(contract.table, unknown)
                done = self.register(unknown)
                failures.add(done.failures)
