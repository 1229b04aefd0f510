"""Concurrent runs apply every batch exactly once, in any order."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from glue_jobs import load_batch
from tests.property.history import COLUMNS, Change, File, Model, Source
from tests.property.pipeline import Pipeline, Table
from tidegate.batch.plan import Outcome, Plan

SOURCE = Source(key=("number",), order="numbered", header=False, null="NULL")
FENCE = 1


def some_changes(rng: random.Random, version: int) -> tuple[Change, ...]:
    """Versions that no other file has, in an order that is not the files'."""
    return tuple(
        Change(rng.choice("IUUD"), version + line, "a", rng.randrange(8), f"v{version + line}", "1")
        for line in range(6)
    )


def some_files(count: int, seed: int) -> list[File]:
    rng = random.Random(seed)
    versions = rng.sample(range(0, 10 * count, 10), count)
    return [
        File("", f"20240810-0000000{number:02d}.csv", some_changes(rng, version))
        for number, version in enumerate(versions)
    ]


def new_table(pipeline: Pipeline) -> Table:
    return Table(pipeline, SOURCE.contract(pipeline.new_name()))


def prepared(table: Table, batch: int, file: File) -> Plan:
    plan = table.plan(batch, FENCE, [[table.land(file.path, file.content(SOURCE))]])
    table.prepare(plan)
    return plan


def at_once(work: list[Callable[[], Outcome]]) -> list[Outcome]:
    """What came of each; all begin together."""
    ready = threading.Barrier(len(work))

    def begin(one: Callable[[], Outcome]) -> Outcome:
        ready.wait()
        return one()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(begin, work))


@pytest.mark.parametrize(("tables", "batches"), [(1, 8), (4, 2)], ids=["one table", "four tables"])
def test_pain_01_batches_that_run_at_once_and_twice_land_each_once(pipeline, tables, batches):
    histories = {new_table(pipeline): some_files(batches, seed) for seed in range(tables)}
    plans = [
        (table, prepared(table, number, file))
        for table, files in histories.items()
        for number, file in enumerate(files, start=1)
    ]
    outcomes = at_once(
        [lambda table=table, plan=plan: table.run_job(plan) for table, plan in plans * 2]
    )
    applied = Counter(outcome.already_applied for outcome in outcomes)
    assert applied == {False: len(plans), True: len(plans)}
    for table, files in histories.items():
        model = Model(SOURCE)
        for number, file in enumerate(files, start=1):
            model.apply(number, [[file]])
        held = [(key, row) for _, key, row, _ in table.held(*COLUMNS)]
        assert held == [(key, row) for key, row, _ in model.held()]
        assert [record["batch"] for record in table.batches()] == [*range(1, batches + 1)]


def test_a_batch_that_meets_another_writer_of_its_rows_waits_and_lands(pipeline, monkeypatch):
    table = new_table(pipeline)
    before, after = (
        File("", f"20240810-00000000{n}.csv", (Change("U", n, "a", 1, f"v{n}", "1"),))
        for n in (1, 2)
    )
    table.run_job(prepared(table, 1, before))
    waits = []
    with pipeline.session() as somebody:
        somebody.cursor().execute(f"update {table.contract.table} set amount = 9 where number = 1")

        def wait(seconds: float) -> None:
            waits.append(seconds)
            somebody.commit()

        monkeypatch.setattr(load_batch.time, "sleep", wait)
        outcome = table.run_job(prepared(table, 2, after))
    assert (waits, outcome.rows_updated) == ([1], 1)
    assert [(key, row) for _, key, row, _ in table.held(*COLUMNS)] == [((1,), ("a", 1, "v2", 1))]
