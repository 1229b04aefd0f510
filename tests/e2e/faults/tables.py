"""The tables of the fault tests: fresh tables, and loaded tables that tests reuse."""

import queue
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from tests.e2e.faults.changes import Customers, Landed, People
from tests.e2e.faults.stack import FaultedStack
from tests.e2e.faults.watch import Fault
from tests.e2e.harness import until

PATIENCE = 90.0  # seconds; a busy machine is slow
LOOKS_EVERY = 0.4
Kind = TypeVar("Kind", bound=Landed, covariant=True)


@dataclass(frozen=True)
class Table(Generic[Kind]):
    """A table, the files that landed for it, and its expected rows."""

    stack: FaultedStack
    name: str
    landed: Kind

    def watch(self, *faults: Fault) -> None:
        self.stack.watch.begin(self.name, *faults)

    def land(self, files: dict[str, bytes]) -> None:
        self.stack.land_files(self.name, files)

    def wait_for(self, *faults: Fault) -> None:
        for fault in faults:
            happened = fault.happened
            until(happened.is_set, timeout=PATIENCE, what=f"{self.name}: no {fault.at}")

    def settle(self) -> None:
        """Wait until all landed files are applied, no run is left and nothing is wrong."""
        late = f"{self.name} did not settle"
        until(self.is_settled, timeout=PATIENCE, what=late, every=LOOKS_EVERY)

    def is_settled(self) -> bool:
        # A run that has not ended may still write to the ledger.
        return self._is_calm() and not self.stack.has_runs(self.name) and self._is_calm()

    def _is_calm(self) -> bool:
        state = self.stack.state(self.name)
        settled = state.applied_files + state.quarantined_files == len(self.landed.files)
        worked_on = state.holder or state.open_batch or state.refresh
        return settled and not worked_on and not (state.blocked or state.last_error)

    def check(self) -> None:
        """Assert that the outcome is the same as without any fault."""
        self.settle()
        found = self.stack.query(f"select {', '.join(self.landed.columns)} from {self.name}")
        by_key = {row[0]: tuple(row) for row in found}
        assert len(by_key) == len(found), "a key stands in the table twice"
        assert by_key == self.landed.rows()
        tombstones = f"tidegate.{self.name.replace('.', '__')}__tombstones"
        keys = self.stack.query(f"select {self.landed.key} from {tombstones} order by 1")
        assert [key for [key] in keys] == self.landed.tombstones()
        assert self.stack.batches(self.name) == self.landed.batches
        self._check_ledger()

    def _check_ledger(self) -> None:
        items = list(self.stack.items.query(f"TABLE#{self.name}"))
        kinds = [(item["sk"].partition("#")[0], item.get("key")) for item in items]
        expected = [
            (
                "QUARANTINE" if file in self.landed.unreadable else "DONE",
                self.stack.key(self.name, file),
            )
            for file in self.landed.files
        ]
        assert sorted(kind for kind in kinds if kind[1]) == sorted(expected)
        closed = [item for item in items if item["sk"].startswith("BATCH#")]
        assert len(closed) == len(self.landed.batches)
        state = self.stack.state(self.name)
        quarantined = (state.quarantined_files, state.quarantined_rows)
        assert quarantined == (len(self.landed.unreadable), self.landed.refused)
        assert (state.attempts, state.released, state.held_back, state.narrow) == (
            0,
            None,
            False,
            {},
        )


class Tables:
    """Gives tables to tests; takes loaded ones back for the next test."""

    def __init__(self, stack: FaultedStack) -> None:
        self._stack = stack
        self._fresh: dict[type[Landed], queue.SimpleQueue[str]] = defaultdict(queue.SimpleQueue)
        self._loaded: queue.SimpleQueue[Table[Customers]] = queue.SimpleQueue()
        for name, kind in stack.tables.items():
            self._fresh[kind].put(name)

    def fresh(self) -> Table[Customers]:
        """Return a table for which nothing has landed yet."""
        return Table(self._stack, self._fresh[Customers].get_nowait(), Customers())

    def people(self) -> Table[People]:
        """Return a table of people for which nothing has landed yet."""
        return Table(self._stack, self._fresh[People].get_nowait(), People())

    @contextmanager
    def loaded(self) -> Iterator[Table[Customers]]:
        """Lend a table with a watermark, a tombstone and many rows; drop it after a failure."""
        try:
            table = self._loaded.get_nowait()
        except queue.Empty:
            table = self.load()
        yield table
        self._loaded.put(table)

    def load(self) -> Table[Customers]:
        table = self.fresh()
        table.land(table.landed.add_snapshot() | table.landed.add_newer())
        table.settle()
        # The two files may have been two batches.
        table.landed.batches = self._stack.batches(table.name)
        table.check()
        return table
