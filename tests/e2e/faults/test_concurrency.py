"""Concurrent runs: tables do not wait for each other, a table has one run, zombies lose."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from tests.e2e.faults.calls import Boundary, Call
from tests.e2e.faults.changes import Customers
from tests.e2e.faults.tables import PATIENCE, Table, Tables
from tests.e2e.faults.watch import Fault
from tests.e2e.harness import until


@pytest.fixture
def table(tables: Tables) -> Iterator[Table[Customers]]:
    with tables.loaded() as table:
        yield table


def test_nine_tables_are_loaded_while_a_tenth_is_held(
    table: Table[Customers], tables: Tables
) -> None:
    others = [tables.fresh() for _ in range(9)]
    with table.stack.held(table.name):
        table.land(table.landed.add_late())
        for other in others:
            other.land(other.landed.add_snapshot())
        for other in others:
            other.check()
        assert table.stack.state(table.name).open_batch, "the tenth did not wait"
    table.check()


def test_pain_11_twenty_executions_at_once_apply_everything_exactly_once(
    table: Table[Customers],
) -> None:
    stack = table.stack
    before = len(stack.batches(table.name))
    with ThreadPoolExecutor(20) as pool:
        runs = [pool.submit(stack.start, {"table": table.name}) for _ in range(20)]
        for _ in range(5):
            table.land(table.landed.add_late())
        ended = [stack.finished(run.result(), timeout=PATIENCE)["status"] for run in runs]
    assert ended == ["SUCCEEDED"] * 20
    table.settle()
    new = stack.batches(table.name)[before:]
    assert sum(batch["rows_inserted"] for batch in new) == 5
    assert sum(batch["rows_deleted"] for batch in new) == 5
    table.landed.batches[before:] = new
    table.check()


@dataclass
class Sleep:
    """Stops a job at a call until a test wakes it."""

    asleep: threading.Event = field(default_factory=threading.Event)
    woken: threading.Event = field(default_factory=threading.Event)

    def __call__(self, _: Call) -> None:
        self.asleep.set()
        self.woken.wait(PATIENCE)


def test_a_zombie_that_wakes_up_after_another_run_loaded_its_batch_changes_nothing(
    table: Table[Customers],
) -> None:
    zombie = Sleep()
    table.watch(Fault(at_lock(1), zombie))
    leave_a_zombie(table, zombie)
    table.check()
    zombie.woken.set()
    until(lambda: not jobs(table), timeout=PATIENCE, what="the zombie did not end")
    table.check()


def test_a_zombie_that_commits_before_the_run_that_has_its_lease_is_what_counts(
    table: Table[Customers],
) -> None:
    zombie, successor = Sleep(), Sleep()
    table.watch(Fault(at_lock(1), zombie), Fault(at_lock(2), successor))
    leave_a_zombie(table, zombie)
    until(successor.asleep.is_set, timeout=PATIENCE, what="no run took over")
    zombie.woken.set()
    until(lambda: len(jobs(table)) == 1, timeout=PATIENCE, what="the zombie did not end")
    successor.woken.set()
    table.check()


def at_lock(nth: int) -> Boundary:
    return Boundary("load_batch", "before", nth, "redshift:lock")


def leave_a_zombie(table: Table[Customers], zombie: Sleep) -> None:
    """Put a job to sleep and end its run, so that a sweep starts another run."""
    table.land(table.landed.add_late())
    until(zombie.asleep.is_set, timeout=PATIENCE, what="no job came to its lock")
    run = table.stack.state(table.name).holder
    assert run
    table.stack.runs.stop_execution(executionArn=run)
    assert table.stack.finished(run, timeout=PATIENCE)["status"] == "ABORTED"


def jobs(table: Table[Customers]) -> list[str]:
    """Return the Glue job runs that work for the table."""
    glue = table.stack.client("glue")
    runs = glue.get_job_runs(JobName=table.stack.physical_id("LoadBatch"))["JobRuns"]
    return [
        run["Id"]
        for run in runs
        if run["JobRunState"] == "RUNNING" and f"/{table.name}/" in run["Arguments"]["--plan"]
    ]
