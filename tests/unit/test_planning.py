"""What waits becomes a batch, its chunks and one plan; a batch begun is planned again as it was."""

from dataclasses import replace

import pytest

from tests.unit.samples import PREFIX, Clock, Workshop, contract, landed, ledger_table
from tidegate.batch.plan import Outcome, Plan
from tidegate.contract import Contract
from tidegate.errors import LeaseLostError
from tidegate.ledger import FileHistory, FileLedger, RefreshLedger, StateLedger
from tidegate.planning.cut import Limits, cut_batch, weigh
from tidegate.planning.plan_batch import MOST_ROUNDS, PlanBatch, Planned
from tidegate.planning.plan_refresh import PlanRefresh
from tidegate.planning.snapshots import Snapshots

TABLE = "sales.orders"
REQUEST = {"table": TABLE}
NONE = {"applied_files": 0, "quarantined_files": 0, "quarantined_rows": 0}


def sizes(*given: int, limits: Limits, end: str = ".csv") -> list[list[int]]:
    files = [landed(f"{PREFIX}{n}{end}", size=size) for n, size in enumerate(given)]
    return [[file.size for file in chunk] for chunk in cut_batch(files, limits)]


@pytest.mark.parametrize(
    ("given", "cut"),
    [
        ([], []),
        ([5], [[5]]),
        ([4, 6, 1], [[4, 6], [1]]),
        ([99, 1, 1], [[99], [1, 1]]),
        ([1, 99, 1], [[1], [99], [1]]),
        ([0, 0, 0, 0], [[0, 0, 0], [0]]),
        ([9, 9, 9, 9, 9], [[9], [9], [9]]),
    ],
)
def test_batch_is_cut_by_bytes_files_and_chunks(given, cut):
    assert sizes(*given, limits=Limits(chunk_bytes=10, chunk_files=3, batch_chunks=3)) == cut


def test_what_is_compressed_weighs_what_it_unpacks_to():
    assert weigh(landed(PREFIX + "a.csv.gz", size=10)) == 60
    assert weigh(landed(PREFIX + "a.gz/b.parquet", size=10)) == 30
    assert sizes(1, 1, limits=Limits(chunk_bytes=6), end=".csv.gz") == [[1], [1]]


def test_thousand_small_files_are_four_chunks_of_one_batch():
    assert [len(chunk) for chunk in sizes(*[100] * 1000, limits=Limits())] == [250] * 4


def test_an_object_that_waits_in_two_places_is_taken_once():
    file = landed(f"{PREFIX}1.csv", size=9)
    moved = file.model_copy(update={"kind": 0, "order": "0"})
    assert cut_batch([moved, file], Limits()) == [[moved]]


def test_batch_is_cut_from_as_few_files_as_it_takes():
    def waiting():
        yield from (landed(f"{PREFIX}{n}.csv", size=9) for n in range(4))
        pytest.fail("looked further than it needed")

    assert len(cut_batch(waiting(), Limits(chunk_bytes=10, batch_chunks=3))) == 3


class Planning:
    """plan_batch over an empty ledger."""

    def __init__(self, of: Contract | None = None) -> None:
        self.of = of or contract()
        self.ledger = ledger = ledger_table()
        self.clock = Clock()
        self.files, self.states = FileLedger(ledger), StateLedger(ledger, self.clock)
        self.shop = Workshop()
        self.work, history = self.shop.work, FileHistory(ledger, self.clock)
        limits = Limits(chunk_bytes=10, chunk_files=3, batch_chunks=2, first_chunks=2)
        snapshots = Snapshots(self.shop.s3, self.shop.landing)
        self.step = PlanBatch(
            contracts={self.of.table: self.of},
            files=self.files,
            history=history,
            states=self.states,
            refreshes=RefreshLedger(ledger),
            plan_refresh=PlanRefresh(snapshots, self.files, history, limits),
            evolve=self.shop.evolve,
            work=self.work,
            copy_role="default",
            lease_seconds=60,
            limits=limits,
        )

    def land(self, *names: str) -> None:
        self.files.register(TABLE, [landed(PREFIX + name, of=self.of) for name in names])
        self.states.wake(TABLE, landed_at=1)

    def read(self, planned: Planned) -> Plan:
        return self.work.read(planned.plan, Plan)


@pytest.fixture
def planning(aws) -> Planning:
    return Planning()


def test_first_load_is_one_batch_whose_chunks_many_functions_prepare(planning):
    step = replace(planning.step, limits=Limits(chunk_files=1))
    planning.land(*(f"LOAD{number:08X}.csv" for number in range(1, 301)))
    planned = step({"table": TABLE}, "run", 0)
    assert (planned.action, len(planned.chunks)) == ("load_many", 200)


def test_first_load_is_no_larger_than_others_where_plan_batch_reads_its_files(aws):
    planning = Planning(contract(written_as="jsonl", evolve="add"))
    step = replace(planning.step, limits=Limits(chunk_files=1))
    names = [f"LOAD{number:08X}.json" for number in range(1, 31)]
    for name in names:
        planning.shop.land(PREFIX + name, b'{"id": 1, "name": "a"}\n', planning.of)
    planning.land(*names)
    planned = step({"table": TABLE}, "run", 0)
    assert (planned.action, len(planned.chunks)) == ("load", 20)


def test_plan_names_files_in_source_order_and_all_that_will_run(planning):
    planning.land("20240810-1.csv", "20240809-1.csv", "LOAD00000001.csv")
    planned = planning.step(REQUEST, "run", 0)
    plan = planning.read(planned)
    state = planning.states.read(TABLE)
    assert (planned.action, planned.rounds, planned.chunks) == ("load", 1, [0, 1])
    assert [[file.key.removeprefix(PREFIX) for file in chunk] for chunk in plan.chunks] == [
        ["LOAD00000001.csv"],
        ["20240809-1.csv"],
    ]
    assert (plan.fence, state.open_batch, state.open_plan) == (
        state.fence,
        plan.batch,
        planned.plan,
    )
    folder = f"s3://{planning.work.name}/batches/sales.orders/{plan.batch}/{plan.fence}"
    assert planned.plan_url == f"{folder}/plan.json"
    assert plan.load.manifest == f"{folder}/manifest.json"
    assert plan.load.chunks == [f"{folder}/chunk-0000.json", f"{folder}/chunk-0001.json"]
    assert plan.load.outcome == f"{folder}/outcome.json"
    assert plan.read_contract() == contract()


def test_snapshots_that_replace_the_table_are_loaded_one_after_the_other(aws):
    planning = Planning(contract(write="replace"))
    planning.land("2.csv", "1.csv")
    plan = planning.read(planning.step(REQUEST, "run", 0))
    assert [[file.key for file in chunk] for chunk in plan.chunks] == [[PREFIX + "1.csv"]]


def test_nothing_waiting_lets_the_lease_go(planning):
    assert planning.step(REQUEST, "run", 0).action == "done"
    assert planning.states.read(TABLE).holder is None


def test_second_run_leaves_and_the_first_looks_again(planning):
    planning.land("1.csv")
    first = planning.step(REQUEST, "one", 0)
    assert planning.step(REQUEST, "two", 0).action == "leave"
    assert planning.states.read(TABLE).holder == "one"
    planning.states.close_batch(TABLE, planning.read(first).batch, Outcome(), NONE)


def test_file_landing_in_the_last_instant_is_planned(planning, monkeypatch):
    look = planning.files.pending

    def land_after_looking(table):
        found = list(look(table))
        if not found:
            planning.land("late.csv")
        return found

    monkeypatch.setattr(planning.files, "pending", land_after_looking)
    planned = planning.step(REQUEST, "run", 0)
    assert [file.key for file in planning.read(planned).chunks[0]] == [PREFIX + "late.csv"]


def test_batch_that_was_not_closed_is_planned_again_with_its_files_and_a_new_fence(planning):
    planning.land("2.csv")
    first = planning.read(planning.step(REQUEST, "run", 0))
    planning.land("1.csv", "3.csv")
    again = planning.read(planning.step(REQUEST, "run", 1))
    assert (again.batch, again.chunks) == (first.batch, first.chunks)
    assert again.fence > first.fence


def test_batch_planned_by_an_earlier_tidegate_is_planned_again(planning):
    planning.land("2.csv")
    planned = planning.step(REQUEST, "run", 0)
    first = planning.read(planned)
    old = first.model_dump_json(exclude={"load"}).encode()
    planning.work.s3.put_object(Bucket=planning.work.name, Key=planned.plan, Body=old)
    again = planning.read(planning.step(REQUEST, "run", 1))
    assert (again.batch, again.chunks) == (first.batch, first.chunks)


def test_batch_whose_plan_expired_is_cut_anew_under_a_new_number(planning):
    planning.land("2.csv")
    planned = planning.step(REQUEST, "run", 0)
    first = planning.read(planned)
    planning.work.s3.delete_object(Bucket=planning.work.name, Key=planned.plan)
    planning.land("1.csv")
    planning.clock.now += 1
    again = planning.read(planning.step(REQUEST, "run", 1))
    assert again.batch > first.batch
    assert [file.key for chunk in again.chunks for file in chunk] == [
        PREFIX + "1.csv",
        PREFIX + "2.csv",
    ]


def test_run_that_lost_its_lease_while_planning_ends(planning, monkeypatch):
    planning.land("1.csv")
    monkeypatch.setattr(planning.states, "open_batch", lambda *_: False)
    with pytest.raises(LeaseLostError, match=r"sales\.orders: another run took the lease"):
        planning.step(REQUEST, "run", 0)


def test_outdated_call_of_a_run_does_not_let_go_of_the_lease_its_retry_took(planning, monkeypatch):
    def be_overtaken(table):
        planning.states.acquire(table, "run", 60)
        return []

    monkeypatch.setattr(planning.files, "pending", be_overtaken)
    with pytest.raises(LeaseLostError):
        planning.step(REQUEST, "run", 0)
    assert planning.states.read(TABLE).holder == "run"


def test_long_run_gives_way_to_one_with_a_history_of_its_own(planning):
    planning.land("1.csv")
    assert planning.step(REQUEST, "run", MOST_ROUNDS).action == "leave"
    state = planning.states.read(TABLE)
    assert (state.holder, state.pending_since) == (None, 1)


def test_planned_batch_unblocks_its_table(planning):
    planning.states.acquire(TABLE, "run", 60)
    planning.states.block(TABLE, "run", "why")
    planning.land("1.csv")
    planning.step(REQUEST, "person", 0)
    assert not planning.states.read(TABLE).blocked


def test_columns_that_are_not_widened_are_planned_as_they_are(aws):
    planning = Planning(contract({"id": "integer", "name": "varchar(5)"}, evolve="add"))
    planning.land("1.csv")
    first = planning.read(planning.step(REQUEST, "run", 0))
    planning.states.note_narrow(TABLE, "run", {"name": 9})
    again = planning.read(planning.step(REQUEST, "run", 1))
    columns = [
        {column.name: column.widen for column in plan.load.columns if column.table[0] == "sales"}
        for plan in (first, again)
    ]
    assert [one["name"] is None for one in columns] == [False, True]
    assert [str(column.type) for column in again.read_contract().columns] == [
        "integer",
        "varchar(9)",
    ]
    assert again.applied.columns == first.applied.columns
