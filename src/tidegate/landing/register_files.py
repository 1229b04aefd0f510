"""The step register_files: what landed is recorded, and tables that are due are started."""

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
    """How many objects of each table, and of none, were recorded; and of which tables they failed.

    The objects in `failed` must be told of again.
    """

    counts: dict[str, int] = field(default_factory=lambda: {UNROUTED: 0})
    failures: dict[str, Exception] = field(default_factory=dict)
    failed: set[LandedObject] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class RegisterFiles:
    """Takes objects as they are told of: late, twice, or in any order."""

    router: Router
    files: FileLedger
    history: FileHistory
    states: StateLedger
    start: Callable[[str], object]

    def __call__(self, landed: Iterable[LandedObject]) -> Registration:
        """Record `landed`, table by table; one that fails is no matter of the others.

        Nothing is lost if this dies half-way: told again of the same objects, it does the rest.
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
