"""Runs trials, many at a time: a scenario for a table, and a process killed at one boundary."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import groupby

from tests.e2e.faults.boundaries import PLAN_BUSY, Trial
from tests.e2e.faults.calls import Boundary, Call
from tests.e2e.faults.changes import SMALL, Landed
from tests.e2e.faults.stack import FaultedStack
from tests.e2e.faults.tables import PATIENCE, Table, Tables
from tests.e2e.faults.watch import KILLED, Fault
from tests.e2e.harness import until

AT_A_TIME = 6
EVER = {"from": "2020-01-01", "to": "2099-01-01"}
_OF_A_RUN = (
    *("late changes", "a first load", "a full refresh", "a refresh of a busy table"),
    *("a replay", "a release"),
    *("schema drift", "a column that stays narrow", "an unreadable file"),
)
Calls = list[Call]


class Trials:
    """Runs trials and keeps each result: the calls for the table, or the failed assertion."""

    def __init__(self, stack: FaultedStack, tables: Tables, trials: Sequence[Trial]) -> None:
        self._stack = stack
        self._tables = tables
        self._for_all = threading.Lock()
        self._alone = threading.Lock()
        self._pool = ThreadPoolExecutor(AT_A_TIME)
        self._results: dict[Trial, Future[Calls]] = {}
        self._kinds: dict[str, Callable[[Trial], Calls]] = {
            "late changes": self._late_changes,
            "a first load": self._first_load,
            "a full refresh": self._refresh,
            "a refresh of a busy table": self._busy,
            "a replay": self._replay,
            "schema drift": self._drift,
            "a column that stays narrow": self._narrow,
            "an unreadable file": self._unreadable,
            "deletes held back": self._held_back,
            "a release": self._release,
            "a refused refresh": self._refused_refresh,
            "a refusal": self._refusal,
            "an outage": self._outage,
            "a dead lease": self._dead_lease,
            "a lost event": self._lost_event,
        }
        for _, some in groupby(sorted(trials, key=turn), key=turn):
            earlier = list(self._results.values())
            for trial in some:
                self._results[trial] = self._pool.submit(self._run, trial, earlier)

    def result(self, trial: Trial) -> Calls:
        """Wait for the result of a trial."""
        return self._results[trial].result()

    def stop(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _run(self, trial: Trial, earlier: Sequence[Future[Calls]]) -> Calls:
        wait(earlier)
        with self._undisturbed(trial):
            return self._kinds[trial.happens](trial)

    def _undisturbed(self, trial: Trial) -> AbstractContextManager[object]:
        # A sweep between the event and the lease starts a second run, which adds calls of its own.
        needs_no_sweep = trial.happens in _OF_A_RUN
        return self._stack.sweeping if needs_no_sweep and not trial.at else nullcontext()

    def _late_changes(self, trial: Trial) -> Calls:
        with self._tables.loaded() as table:
            return self._land(table, table.landed.add_late(), faults_of(trial))

    def _first_load(self, trial: Trial) -> Calls:
        table = self._tables.fresh()
        return self._land(table, table.landed.add_snapshot(), faults_of(trial))

    def _land(self, table: Table[Landed], files: dict[str, bytes], faults: list[Fault]) -> Calls:
        table.watch(*faults)
        table.land(files)
        return self._see_through(table, faults)

    def _refresh(self, trial: Trial) -> Calls:
        with self._tables.loaded() as table:
            epoch = self._stack.state(table.name).epoch
            faults = faults_of(trial)
            table.watch(*faults)
            table.landed.refresh()
            self._stack.start_run(table.name, mode="full_refresh")
            until(lambda: self._is_past(epoch, table), timeout=PATIENCE, what="no refresh")
            return self._see_through(table, faults)

    def _busy(self, trial: Trial) -> Calls:
        with self._tables.loaded() as table:
            epoch = self._stack.state(table.name).epoch
            faults = faults_of(trial)
            no_sweep = self._stack.sweeping if trial.at else nullcontext()
            with self._stack.held(table.name):
                with no_sweep:
                    table.land(table.landed.add_late())
                    until(lambda: self._is_loading(table), timeout=PATIENCE, what="it did not load")
                    table.watch(*faults)
                table.landed.refresh()
                self._stack.start_run(table.name, mode="full_refresh")
                table.wait_for(*faults)
                until(lambda: self._first_of_plan(table), timeout=PATIENCE, what="nobody asked")
            calls = self._first_of_plan(table)
            until(lambda: self._is_past(epoch, table), timeout=PATIENCE, what="no refresh")
            table.check()
            return calls

    def _is_loading(self, table: Table[Landed]) -> bool:
        return self._stack.state(table.name).open_batch is not None

    def _first_of_plan(self, table: Table[Landed]) -> Calls:
        """Return the first calls of a run that waits for another; empty until all are made."""
        calls = [call for call in self._stack.watch.calls(table.name) if call.step == "plan_batch"]
        return calls[: len(PLAN_BUSY)] if len(calls) >= len(PLAN_BUSY) else []

    def _is_past(self, epoch: int, table: Table[Landed]) -> bool:
        return self._stack.state(table.name).epoch > epoch

    def _replay(self, trial: Trial) -> Calls:
        with self._tables.loaded() as table:
            last = self._stack.state(table.name).last_batch
            faults = faults_of(trial)
            table.watch(*faults)
            table.landed.replay()
            self._stack.start_run(table.name, mode="replay", **EVER)
            until(lambda: self._has_batch_after(last, table), timeout=PATIENCE, what="no replay")
            return self._see_through(table, faults)

    def _has_batch_after(self, last: int | None, table: Table[Landed]) -> bool:
        return self._stack.state(table.name).last_batch != last

    def _refusal(self, trial: Trial) -> Calls:
        table = self._tables.fresh()
        self._stack.query(f"create table {table.name} (customer_number varchar(5))")
        faults = faults_of(trial)
        table.watch(*faults)
        with self._blocks(table, *faults):
            table.land(table.landed.add_snapshot())
        self._stack.query(f"drop table {table.name}")
        self._stack.start_run(table.name)
        return self._see_through(table, faults)

    def _outage(self, trial: Trial) -> Calls:
        with self._tables.loaded() as table:
            faults = faults_of(trial)
            away = Fault(
                Boundary("load_batch", "before", 1, "redshift:connect"), act=lambda _: KILLED
            )
            # After one more attempt the wait is so long that the run leaves it to a later run.
            self._set_state(table, attempts=9)
            table.watch(away, *faults)
            table.land(table.landed.add_late())
            table.wait_for(away, *faults)
            until(lambda: self._is_left(table), timeout=PATIENCE, what="no later run has it")
            calls = self._stack.watch.calls(table.name)
            self._set_state(table, retry_at=1)  # ends the wait
            table.check()
            return calls

    def _is_left(self, table: Table[Landed]) -> bool:
        state = self._stack.state(table.name)
        return state.retry_at > 0 and not state.holder and not self._stack.has_runs(table.name)

    def _set_state(self, table: Table[Landed], **values: int) -> None:
        for name, value in values.items():
            change = f"set {name} = :value"
            self._stack.items.update(f"TABLE#{table.name}", "STATE", change, {":value": value})

    @contextmanager
    def _blocks(self, table: Table[Landed], *faults: Fault) -> Iterator[None]:
        """Assert that the body blocks the table and sends an alert."""
        with self._tells(f"Tidegate: {table.name} is blocked", *faults):
            yield
            table.wait_for(*faults)
            until(lambda: self._is_blocked(table), timeout=PATIENCE, what="it was not blocked")

    def _is_blocked(self, table: Table[Landed]) -> bool:
        return self._stack.state(table.name).blocked

    @contextmanager
    def _tells(self, subject: str, *faults: Fault) -> Iterator[None]:
        """Assert that the body sends one alert; two only if the sending step is killed."""
        before = self._stack.letters(subject)
        yield
        what = f"nobody was told: {subject}"
        until(lambda: self._stack.letters(subject) > before, timeout=PATIENCE, what=what)
        most = 2 if any(fault.at.step == "fail_batch" for fault in faults) else 1
        assert self._stack.letters(subject) <= before + most, f"told too often: {subject}"

    def _drift(self, trial: Trial) -> Calls:
        table = self._tables.people()
        table.land(table.landed.add_first())
        table.settle()
        return self._land(table, table.landed.add_drift(), faults_of(trial))

    def _narrow(self, trial: Trial) -> Calls:
        table = self._tables.people()
        # Redshift does not widen a column that has a default.
        columns = "id integer, name varchar(8) default 'none'"
        self._stack.query(f"create table {table.name} ({columns})")
        table.landed.is_fixed = True
        return self._land(table, table.landed.add_drift(), faults_of(trial))

    def _unreadable(self, trial: Trial) -> Calls:
        with self._tables.loaded() as table:
            return self._land(table, table.landed.add_unreadable(), faults_of(trial))

    def _held_back(self, trial: Trial) -> Calls:
        with self._tables.loaded() as table:
            faults = faults_of(trial)
            table.watch(*faults)
            with self._blocks(table, *faults):
                table.land(table.landed.add_mass_delete())
            calls = self._stack.watch.calls(table.name)
            self._stack.start_run(table.name, force=True)
            table.check()
            return calls

    def _release(self, trial: Trial) -> Calls:
        with self._tables.loaded() as table:
            with self._blocks(table):
                table.land(table.landed.add_mass_delete())
            faults = faults_of(trial)
            table.watch(*faults)
            self._stack.start_run(table.name, force=True)
            return self._see_through(table, faults)

    def _refused_refresh(self, trial: Trial) -> Calls:
        table = self._tables.load()
        table.land(table.landed.add_small_snapshot())
        table.settle()
        faults = faults_of(trial)
        table.watch(*faults)
        small = self._stack.key(table.name, SMALL).rpartition("/")[0] + "/"
        with self._tells(f"Tidegate: the refresh of {table.name} was refused", *faults):
            self._stack.start_run(table.name, mode="full_refresh", snapshot_prefix=small)
            table.wait_for(*faults)
        until(lambda: self._wants_none(table), timeout=PATIENCE, what="it was not refused")
        calls = self._stack.watch.calls(table.name)
        table.land(table.landed.add_late())  # the table still loads
        table.check()
        return calls

    def _wants_none(self, table: Table[Landed]) -> bool:
        state = self._stack.state(table.name)
        return state.refresh is None and not state.holder

    def _dead_lease(self, trial: Trial) -> Calls:
        with self._tables.loaded() as table:
            taken = Boundary("plan_batch", "after", 1, "dynamodb:UpdateItem")
            dies = Fault(taken, self._stack.abort)
            faults = faults_of(trial)
            table.watch(dies, *([] if trial.for_all else faults))
            table.land(table.landed.add_late())
            table.wait_for(dies)
            if trial.for_all:
                self._strike_all(faults)
            return self._see_through(table, faults)

    def _lost_event(self, trial: Trial) -> Calls:
        with self._alone, self._tables.loaded() as table:
            faults = faults_of(trial)
            with self._stack.sweeping:
                table.watch(*([] if trial.for_all else faults))
                self._stack.land_unheard(table.name, table.landed.add_late())
                if trial.for_all:
                    self._stack.watch.begin("", *faults)
                until(lambda: self._look_for_missed(faults), timeout=PATIENCE, what="no fault")
                self._stack.sweep("missed")
            return self._see_through(table, faults)

    def _look_for_missed(self, faults: list[Fault]) -> bool:
        self._stack.sweep("missed")
        return all(fault.happened.is_set() for fault in faults)

    def _strike_all(self, faults: list[Fault]) -> None:
        with self._for_all:
            self._stack.watch.begin("", *faults)
            for fault in faults:
                until(fault.happened.is_set, timeout=PATIENCE, what=f"no {fault.at}")

    def _see_through(self, table: Table[Landed], faults: list[Fault]) -> Calls:
        table.wait_for(*faults)
        table.check()
        return self._stack.watch.calls(table.name)


def turn(trial: Trial) -> int:
    """Return the turn of a trial; trials with the same turn run in parallel.

    Clean runs come before the kills: a killed register_files also delays trials whose events came
    in the same SQS batch. Trials that sweep for missed objects come first or last: they would find
    the objects of other trials before their events arrive.
    """
    if trial.happens == "a lost event":
        return 3 if trial.at else 0
    return 2 if trial.at else 1


def faults_of(trial: Trial) -> list[Fault]:
    return [Fault(trial.at)] if trial.at else []
