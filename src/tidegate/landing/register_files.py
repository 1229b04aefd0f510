"""The step register_files: records landed objects, and starts a run for each table that is due."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from tidegate.batch.objects import LandedFile, LandedObject
from tidegate.contract import Route
from tidegate.landing.routing import Router, counts_again, place
from tidegate.ledger import FileHistory, FileLedger, Registered, StateLedger
from tidegate.runs import is_due

UNROUTED = "unrouted"


@dataclass(frozen=True, slots=True)
class Registration:
    """The result of register_files.

    `counts` has the recorded objects of each table and those without a table. `failures` has the
    error of each table that failed. Deliver the events of the objects in `failed` again.
    """

    counts: dict[str, int] = field(default_factory=lambda: {UNROUTED: 0})
    failures: dict[str, Exception] = field(default_factory=dict)
    failed: set[LandedObject] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class RegisterFiles:
    """Registers landed objects. Their events may come late, twice or in any order."""

    router: Router
    files: FileLedger
    history: FileHistory
    states: StateLedger
    start: Callable[[str], object]

    def __call__(self, landed: Iterable[LandedObject]) -> Registration:
        """Record `landed`, table by table. If one table fails, the others go on.

        A call that dies half-way loses nothing: a second call with the same objects does the rest.
        """
        done = Registration()
        for route, objects in self.router.by_route(landed):
            name = route.table if route else UNROUTED
            try:
                self._register(route, objects)
            except Exception as error:
                done.failures[name] = error
                done.failed.update(objects)
            else:
                done.counts[name] = len(objects)
        return done

    def _register(self, route: Route | None, objects: list[LandedObject]) -> None:
        if route is None:
            for one in objects:
                self.files.add_unrouted(one)
        else:
            self._register_files(route, [place(one, route) for one in objects])

    def _register_files(self, route: Route, files: list[LandedFile]) -> None:
        known = self.files.register(route.table, files)
        counts = partial(counts_again, route)
        if Registered.SETTLED in known and self.history.land_again(route.table, files, counts):
            known.add(Registered.NEW)
        if known <= {Registered.SETTLED}:
            return
        state = self.states.wake(route.table, min(file.landed_at for file in files))
        if is_due(state, route.freshness, self.states.now()):
            self.start(route.table)
