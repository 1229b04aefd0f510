"""The step sweep_tables: starts due tables, frees dead leases, finds objects without an event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tidegate.batch.objects import LandedObject
from tidegate.contract import Route
from tidegate.landing.register_files import UNROUTED, RegisterFiles
from tidegate.ledger import Catalogue, FileLedger, StateLedger, TableState
from tidegate.ledger.items import MOST_GETS, pieces
from tidegate.runs import is_due, seconds_waited
from tidegate.storage.listing import list_landed
from tidegate.sweeping.failures import TableFailures

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_LISTED_AT_ONCE = 1_000
_ROUTED_AT_ONCE = 100


@dataclass(slots=True)
class Swept:
    """The tables that were started, and the failures of others.

    `longest_wait_seconds` belongs to the table that has waited longest; see `seconds_waited`.
    """

    started: list[str] = field(default_factory=list)
    longest_wait_seconds: int = 0
    failures: TableFailures = field(default_factory=TableFailures)


@dataclass(frozen=True, slots=True)
class SweepTables:
    """Looks at every table. `is_running` takes an execution's ARN and tells if it still runs."""

    routes: Sequence[Route]
    catalogue: Catalogue
    states: StateLedger
    start: Callable[[str], object]
    is_running: Callable[[str], bool]

    def __call__(self) -> Swept:
        """Start the tables that are due. A table that fails does not stop the others."""
        self.catalogue.publish(route.table for route in self.routes)
        swept = Swept()
        for routes in pieces(self.routes, MOST_GETS):
            states = self._read(routes)
            for route in routes:
                with swept.failures.of(route.table):
                    state = states.get(route.table) or self.states.read(route.table)
                    self._sweep(route, state, swept)
        return swept

    def _read(self, routes: list[Route]) -> dict[str, TableState]:
        """Read the states of tables; empty if that fails, so that each is then read alone."""
        try:
            return self.states.read_all([route.table for route in routes])
        except Exception:
            return {}

    def _sweep(self, route: Route, read: TableState, swept: Swept) -> None:
        state = self._free_dead_lease(route.table, read)
        now = self.states.now()
        waited = seconds_waited(state, route.freshness, now)
        swept.longest_wait_seconds = max(swept.longest_wait_seconds, waited)
        if is_due(state, route.freshness, now):
            self.start(route.table)
            swept.started.append(route.table)

    def _free_dead_lease(self, table: str, state: TableState) -> TableState:
        holder = state.holder
        if holder is None or self.is_running(holder):
            return state
        self.states.release(table, state.fence)
        return self.states.read(table)


@dataclass(frozen=True, slots=True)
class FindMissed:
    """Compares the landing bucket with the ledger; continues next time where it ran out of time."""

    register: RegisterFiles
    catalogue: Catalogue
    files: FileLedger
    s3: "S3Client"
    landing_bucket: str
    has_time: Callable[[], bool]

    def __call__(self) -> int:
        """Register objects that the ledger does not know; return how many objects were compared.

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
        """Register unrouted objects that a new contract claims, as far as there is time."""
        for some in pieces(self.files.unrouted(), _ROUTED_AT_ONCE):
            claimed = [one for one in some if self.register.router.route_of(one.key)]
            done = self.register(claimed)
            failures.add(done.failures)
            for one in claimed:
                if one not in done.failed:
                    self.files.remove_unrouted(one)
            if not self.has_time():
                return

    def _with_pending_times(self, table: str, listed: list[LandedObject]) -> list[LandedObject]:
        """Give each object of `listed` that is already pending its time of landing in the ledger.

        A listing dates a multipart object from its first part, the event dates it from its last:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
        With two times, a file of a `replace` table would be pending twice.
        """
        times = {file.id: file.landed_at for file in self.files.pending(table)}
        return [
            one.model_copy(update={"landed_at": times.get(one.id, one.landed_at)}) for one in listed
        ]

    def _register_unknown(self, listed: list[LandedObject], failures: TableFailures) -> None:
        for route, objects in self.register.router.by_route(listed):
            table = route.table if route else None
            with failures.of(table or UNROUTED):
                known = self.files.known(table, [one.id for one in objects])
                unknown = [one for one in objects if one.id not in known]
                if unknown and route and route.write == "replace":
                    unknown = self._with_pending_times(route.table, unknown)
                done = self.register(unknown)
                failures.add(done.failures)
