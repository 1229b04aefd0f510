"""A full refresh from the moment it is asked for: noted, planned once, committed, or forgotten."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.samples import PREFIX, contract, items
from tests.unit.test_planning import TABLE, Planning
from tidegate.batch.plan import BatchFolder, Outcome, Plan, PreparedChunk, PreparedFile
from tidegate.errors import ContractError, RefreshRefusedError
from tidegate.finishing.commit_batch import CommitBatch
from tidegate.finishing.fail_batch import FailBatch, Failure
from tidegate.ledger import RefreshLedger
from tidegate.planning import plan_batch
from tidegate.planning.as_of import refuse_unlike
from tidegate.planning.plan_batch import SECONDS_OF_CHUNKS, Planned
from tidegate.runs import is_due

ASKED = {"table": TABLE, "mode": "full_refresh"}
LOAD = {"table": TABLE}
STAMPED = contract(options={"timestamp": "at"})


class Refreshing(Planning):
    """Planning, and what comes after it."""

    def __init__(self) -> None:
        super().__init__()
        self.refreshes = RefreshLedger(self.ledger)
        self.letters: list[tuple[str, str]] = []

    def put(self, *names: str, at: float | None = None) -> None:
        """Land objects for which events are told, at a time of the clock."""
        for name in names:
            file = self.shop.land(PREFIX + name, b"1", contract())
            landed_at = int(self.clock.now if at is None else at)
            self.files.register(TABLE, [file.model_copy(update={"landed_at": landed_at})])
        self.states.wake(TABLE, landed_at=1)

    def s3_now(self) -> int:
        """The time by which S3 stamps objects."""
        return int(time.time())

    def commit(self, planned: Planned, last: str = "", **quarantined: str) -> Plan:
        """What prepare_chunk, job and commit_batch do with a plan."""
        plan = self.read(planned)
        folder = BatchFolder(TABLE, plan.batch, plan.fence)
        for number, chunk in enumerate(plan.chunks):
            became = [
                PreparedFile(id=file.id, records=1, quarantined=quarantined.get(file.order[:8]))
                for file in chunk
            ]
            self.work.write(folder.prepared(number), PreparedChunk(files=became))
        self.work.write(folder.outcome, Outcome(last_position=last or f"{plan.epoch:06d} x"))
        CommitBatch(self.files, self.states, self.work)(planned.plan)
        return plan

    def load(self, run: str = "loading") -> None:
        while (planned := self.step(LOAD, run, 0)).action == "load":
            self.commit(planned)

    def fail(self, error: str, planned: Planned | None, run: str = "run") -> str:
        step = FailBatch(
            states=self.states,
            refreshes=self.refreshes,
            work=self.work,
            notify=lambda subject, text: self.letters.append((subject, text)),
            most_attempts=3,
            retry_seconds=1,
        )
        if planned:
            plan = self.read(planned)
            folder = BatchFolder(TABLE, plan.batch, plan.fence)
            self.work.write(folder.outcome, Outcome(error=error, message="too few"))
            failure = Failure(error="States.TaskFailed", cause="")
            return step(ASKED, run, planned.plan, failure).verdict
        return step(ASKED, run, "", Failure(error=error, cause="too few")).verdict


@pytest.fixture
def refreshing(aws) -> Refreshing:
    return Refreshing()


def names(plan: Plan) -> list[str]:
    return [file.key.removeprefix(PREFIX) for chunk in plan.chunks for file in chunk]


def test_what_waits_is_loaded_first_and_the_refresh_is_a_batch_of_the_next_epoch(refreshing):
    refreshing.put("LOAD00000001.csv")
    first = refreshing.step(ASKED, "run", 0)
    refreshing.commit(first)
    second = refreshing.step(ASKED, "run", first.rounds)
    plan = refreshing.commit(second)
    epoch = refreshing.s3_now() // 86_400
    assert [refreshing.read(one).epoch for one in (first, second)] == [1, epoch]
    assert (refreshing.read(first).refresh, plan.refresh.run) == (None, "run")
    assert (refreshing.read(first).load.refresh, plan.load.refresh[0].name) == ([], "empty_target")
    assert refreshing.step(ASKED, "run", second.rounds).action == "done"
    state = refreshing.states.read(TABLE)
    assert (state.epoch, state.refresh, state.watermark) == (epoch, None, f"{epoch:06d} x")


@pytest.mark.parametrize("write", ["upsert", "soft_delete", "history", "append", "replace"])
def test_refresh_changes_rows_and_nothing_about_the_table(refreshing, write):
    """A rename would lose its grants, a truncation commits before the rows are there again."""
    more = {"changed_at": "name"} if write == "history" else {}
    columns = {"id": "integer", "name": "timestamp"}
    refreshing.step.contracts[TABLE] = contract(columns, write=write, **more)
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    load = refreshing.read(refreshing.step(ASKED, "run", 0)).load
    allowed = ("delete from", "insert into", "update", "merge into", "select", "create temporary")
    assert load.refresh
    assert [one.sql for one in load.refresh if not one.sql.startswith(allowed)] == []


def test_refresh_takes_the_changes_that_landed_since_the_snapshot_began_and_no_others(refreshing):
    written = refreshing.s3_now()
    refreshing.put("20240801-1.csv", at=written - 60)
    refreshing.put("20240810-1.csv", "20240809-1.csv", at=written + 1)
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    plan = refreshing.commit(refreshing.step(ASKED, "run", 0))
    assert names(plan) == ["LOAD00000001.csv", "20240809-1.csv", "20240810-1.csv"]


def test_refresh_of_a_replaced_table_takes_its_newest_file_or_the_one_that_is_named(refreshing):
    refreshing.step.contracts[TABLE] = contract(write="replace")
    for name in ("export-1.csv", "export-3.csv", "export-2.csv"):
        refreshing.put(name)
        refreshing.load()
    newest = refreshing.commit(refreshing.step(ASKED, "run", 0))
    assert refreshing.step(ASKED, "run", 1).action == "done"
    named = ASKED | {"snapshot_prefix": PREFIX + "export-2"}
    older = refreshing.commit(refreshing.step(named, "another run", 0))
    assert [names(plan) for plan in (newest, older)] == [["export-3.csv"], ["export-2.csv"]]
    assert older.epoch == newest.epoch + 1
    # What landed before the refresh does not count after it, be it newer by name.
    listed = refreshing.shop.s3.list_objects_v2(Bucket=refreshing.shop.landing)["Contents"]
    assert all(one["LastModified"].timestamp() < older.taken_at for one in listed)
    assert older.chunks[0][0].landed_at == older.taken_at
    [written] = [one["LastModified"] for one in listed if one["Key"] == PREFIX + "export-2.csv"]
    assert older.taken_at - older.moved_by == int(written.timestamp())


def test_what_waits_in_another_order_than_rows_have_comes_after_the_refresh(refreshing):
    refreshing.step.contracts[TABLE] = contract(sequence=["id"])
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    refreshing.put("20240810-1.csv", at=refreshing.s3_now() + 5)
    refreshing.step.contracts[TABLE] = contract(sequence=["name"])
    with pytest.raises(ContractError, match="does not compare"):
        refreshing.step(LOAD, "run", 0)
    first = refreshing.commit(refreshing.step(ASKED, "run", 0))
    second = refreshing.commit(refreshing.step(ASKED, "run", 1))
    assert [names(plan) for plan in (first, second)] == [["LOAD00000001.csv"], ["20240810-1.csv"]]
    assert first.epoch == second.epoch


def test_with_as_of_changes_of_the_day_before_are_looked_at_too(refreshing):
    refreshing.step.contracts[TABLE] = STAMPED
    written = refreshing.s3_now()
    refreshing.put("20240801-1.csv", at=written - 90_000)
    refreshing.put("20240802-1.csv", at=written - 80_000)
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    as_of = f"{datetime.fromtimestamp(written + 60, UTC):%Y-%m-%d %H:%M:%S}"
    plan = refreshing.commit(refreshing.step(ASKED | {"as_of": as_of}, "run", 0))
    assert names(plan) == ["LOAD00000001.csv", "20240802-1.csv"]
    assert plan.as_of == f"{as_of}.000000"


@pytest.mark.parametrize("type_", ["bigint", "varchar(35)"])
def test_with_as_of_that_is_no_time_all_changes_are_looked_at(refreshing, type_):
    columns = {"id": "integer", "seq": type_}
    refreshing.step.contracts[TABLE] = contract(columns, sequence=["seq"])
    refreshing.put("20240801-1.csv", at=refreshing.s3_now() - 400 * 86_400)
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    plan = refreshing.commit(refreshing.step(ASKED | {"as_of": "4"}, "run", 0))
    assert names(plan) == ["LOAD00000001.csv", "20240801-1.csv"]


def test_as_of_holds_for_all_that_lands_until_the_next_refresh(refreshing):
    refreshing.step.contracts[TABLE] = STAMPED
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    refreshing.commit(refreshing.step(ASKED | {"as_of": "2024-08-09"}, "one", 0))
    refreshing.states.release(TABLE, refreshing.states.read(TABLE).fence)
    refreshing.put("20240809-1.csv")
    later = refreshing.commit(refreshing.step(LOAD, "loading", 0))
    assert (later.epoch > 1, later.as_of) == (True, "2024-08-09 00:00:00.000000")
    refreshing.load()
    refreshing.commit(refreshing.step(ASKED, "two", 0))
    assert refreshing.states.read(TABLE).as_of is None


def test_file_counts_once_however_often_it_is_refreshed(refreshing):
    refreshing.put("LOAD00000001.csv", "LOAD00000002.csv")
    refreshing.load()
    for run in ("one", "two"):
        refreshing.commit(refreshing.step(ASKED, run, 0), LOAD0000="cannot be read")
        refreshing.step(ASKED, run, 1)
        state = refreshing.states.read(TABLE)
        assert (state.applied_files, state.quarantined_files) == (0, 2)
    refreshing.commit(refreshing.step(ASKED, "three", 0))
    state = refreshing.states.read(TABLE)
    assert (state.applied_files, state.quarantined_files) == (2, 0)
    kinds = [sk.partition("#")[0] for _, sk in items(refreshing.ledger)]
    assert (kinds.count("DONE"), kinds.count("QUARANTINE"), kinds.count("PENDING")) == (2, 0, 0)


def test_refresh_that_was_planned_and_not_closed_is_planned_again_as_it_was(refreshing):
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    first = refreshing.read(refreshing.step(ASKED | {"force": True}, "run", 0))
    refreshing.put("20240809-1.csv")
    again = refreshing.read(refreshing.step(ASKED | {"force": True}, "run", 1))
    assert (again.batch, again.epoch, again.chunks) == (first.batch, first.epoch, first.chunks)
    assert (again.refresh, again.counted_before) == (first.refresh, first.counted_before)
    assert again.load.refresh_floor is None


def test_refresh_is_done_once_for_the_run_that_asked(refreshing):
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    refreshing.commit(refreshing.step(ASKED, "run", 0))
    assert refreshing.step(ASKED, "run", 0).action == "done"
    assert refreshing.refreshes.done(TABLE, "run")["rows_staged"] == 0
    assert refreshing.refreshes.done(TABLE, "another") is None


def test_refresh_waits_while_another_run_holds_the_table_which_does_it(refreshing):
    refreshing.put("LOAD00000001.csv")
    held = refreshing.step(LOAD, "holder", 0)
    assert refreshing.step(ASKED, "run", 0).action == "wait"
    refreshing.commit(held)
    refresh = refreshing.step(LOAD, "holder", held.rounds)
    assert refreshing.commit(refresh).refresh.run == "run"
    assert refreshing.step(ASKED, "run", 1).action == "leave"
    assert refreshing.step(LOAD, "holder", refresh.rounds).action == "done"


def test_two_refreshes_are_done_one_after_the_other(refreshing):
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    one = refreshing.step(ASKED, "one", 0)
    assert refreshing.step(ASKED, "two", 0).action == "wait"
    refreshing.commit(one)
    assert refreshing.step(ASKED, "two", 1).action == "wait"
    two = refreshing.step(ASKED, "one", one.rounds)
    assert refreshing.commit(two).refresh.run == "two"
    assert refreshing.states.read(TABLE).epoch == refreshing.read(one).epoch + 1


def test_what_landed_before_the_snapshot_is_known_to_be_in_it_for_as_long_as_it_stands(refreshing):
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    refresh = refreshing.commit(refreshing.step(ASKED, "run", 0))
    refreshing.states.release(TABLE, refreshing.states.read(TABLE).fence)
    refreshing.put("20240809-1.csv")
    later = refreshing.commit(refreshing.step(LOAD, "loading", 0))
    assert (later.taken_at, later.epoch) == (refresh.taken_at, refresh.epoch)
    assert abs(later.taken_at - refreshing.s3_now()) < 60


def test_refresh_that_its_run_left_is_due(refreshing):
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    refreshing.refreshes.want(TABLE, refreshing.read(refreshing.step(ASKED, "run", 0)).refresh)
    state = refreshing.states.read(TABLE)
    refreshing.states.release(TABLE, state.fence)
    state = refreshing.states.read(TABLE).model_copy(update={"open_batch": None})
    assert is_due(state, contract().freshness, refreshing.states.now())


def test_table_without_a_snapshot_is_refused_before_anything_is_planned(refreshing):
    refreshing.put("20240809-1.csv")
    refreshing.load()
    with pytest.raises(
        RefreshRefusedError, match="no file under 'dms/sales/orders/' has a name like"
    ):
        refreshing.step(ASKED, "run", 0)
    assert refreshing.fail("RefreshRefusedError", None) == "give_up"
    assert refreshing.step(LOAD, "next", 0).action == "done"


def test_refused_refresh_is_forgotten_and_the_table_goes_on_in_its_epoch(refreshing):
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    planned = refreshing.step(ASKED, "run", 0)
    assert refreshing.fail("RefreshRefusedError", planned) == "give_up"
    state = refreshing.states.read(TABLE)
    assert (state.holder, state.open_batch, state.refresh, state.blocked) == (
        None,
        None,
        None,
        False,
    )
    assert refreshing.letters == [("Tidegate: the refresh of sales.orders was refused", "too few")]
    refreshing.put("20240809-1.csv")
    assert refreshing.read(refreshing.step(LOAD, "next", 0)).epoch == 1


def test_refresh_that_fails_otherwise_blocks_the_table_and_is_tried_again(refreshing):
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    planned = refreshing.step(ASKED, "run", 0)
    refreshing.fail("LoadFailedError", planned)
    assert refreshing.states.read(TABLE).blocked
    again = refreshing.read(refreshing.step(LOAD, "person", 0))
    assert again.refresh == refreshing.read(planned).refresh


def test_snapshot_of_many_chunks_is_one_batch_with_a_lease_to_match(refreshing, monkeypatch):
    most = 4
    monkeypatch.setattr(plan_batch, "MOST_INLINE", most)
    count = 3 * (2 * most) + 1
    refreshing.put(*(f"LOAD{number:08X}.csv" for number in range(1, count + 1)))
    while (planned := refreshing.step(ASKED, "run", 0)).action == "load":
        refreshing.commit(planned)
    assert (planned.action, planned.chunks) == ("load_many", list(range(2 * most + 1)))
    longest = refreshing.states.now() + 60 + 2 * SECONDS_OF_CHUNKS
    assert refreshing.states.read(TABLE).lease_expires == longest


def test_refresh_takes_the_place_of_deletes_that_are_held_back(refreshing):
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    refreshing.put("20240809-1.csv")
    held_back = refreshing.step(LOAD, "run", 0)
    refreshing.fail("MassDeleteError", held_back)
    refresh = refreshing.step(ASKED, "person", 0)
    plan = refreshing.read(refresh)
    assert (names(plan), plan.refresh.run) == (["LOAD00000001.csv"], "person")
    assert plan.batch > refreshing.read(held_back).batch
    refreshing.commit(refresh)
    after = refreshing.read(refreshing.step(ASKED, "person", refresh.rounds))
    assert (names(after), after.epoch) == (["20240809-1.csv"], plan.epoch)
    assert after.taken_at > 0
    assert after.load.max_deletes is not None


def test_refresh_that_is_refused_leaves_the_deletes_held_back(refreshing):
    refreshing.put("20240809-1.csv")
    refreshing.fail("MassDeleteError", refreshing.step(LOAD, "run", 0))
    held_back = refreshing.states.read(TABLE)
    with pytest.raises(RefreshRefusedError):
        refreshing.step(ASKED | {"force": True}, "person", 0)
    refreshing.fail("RefreshRefusedError", None, run="person")
    after = refreshing.states.read(TABLE)
    assert (after.held_back, after.blocked) == (True, True)
    assert (after.open_batch, after.last_error) == (held_back.open_batch, held_back.last_error)
    assert (after.refresh, after.holder) == (None, None)
    again = refreshing.read(refreshing.step(LOAD, "next", 0))
    assert (names(again), again.refresh) == (["20240809-1.csv"], None)
    assert again.load.max_deletes is not None


def test_deletes_that_are_held_back_before_a_refresh_give_way_to_it(refreshing):
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    refreshing.put("20240809-1.csv", at=refreshing.s3_now() + 5)
    planned = refreshing.step(ASKED, "run", 0)
    assert refreshing.read(planned).refresh is None
    assert refreshing.fail("MassDeleteError", planned) == "retry"
    again = refreshing.step(ASKED, "run", planned.rounds)
    assert names(refreshing.read(again)) == ["LOAD00000001.csv"]
    assert refreshing.letters == []


def test_refresh_that_is_refused_after_deletes_were_held_back_leaves_their_batch_to_be_told_of(
    refreshing,
):
    refreshing.put("20240809-1.csv")
    planned = refreshing.step(ASKED, "run", 0)
    batch = refreshing.read(planned).batch
    assert refreshing.fail("MassDeleteError", planned) == "retry"
    with pytest.raises(RefreshRefusedError):
        refreshing.step(ASKED, "run", planned.rounds)
    assert refreshing.fail("RefreshRefusedError", None) == "give_up"
    state = refreshing.states.read(TABLE)
    assert (state.blocked, state.open_batch, state.refresh) == (
        False,
        batch,
        None,
    )
    assert is_due(state, timedelta(0), refreshing.states.now())


def test_refresh_helps_a_table_that_is_blocked_for_good(refreshing):
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    refreshing.put("20240809-1.csv", at=refreshing.s3_now() + 5)
    refreshing.fail("ContractError", refreshing.step(LOAD, "loading", 0), run="loading")
    first = refreshing.commit(refreshing.step(ASKED, "run", 0))
    second = refreshing.commit(refreshing.step(ASKED, "run", 1))
    assert [names(plan) for plan in (first, second)] == [["LOAD00000001.csv"], ["20240809-1.csv"]]
    assert (first.refresh.run, second.refresh) == ("run", None)


def test_refresh_in_another_order_that_was_planned_is_planned_again_as_it_was(refreshing):
    refreshing.step.contracts[TABLE] = contract(sequence=["id"])
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    refreshing.step.contracts[TABLE] = contract(sequence=["name"])
    first, again = (refreshing.read(refreshing.step(ASKED, "run", 0)) for _ in range(2))
    assert (first.batch, first.epoch) == (again.batch, again.epoch)


@pytest.mark.parametrize("as_of", ["2024-08-09T00:00:00Z", "soon", "00000007", "20240809"])
def test_as_of_that_cannot_be_compared_with_what_was_loaded_is_refused(refreshing, as_of):
    columns = {"id": "integer", "seq": "varchar(40)"}
    refreshing.step.contracts[TABLE] = contract(columns, sequence=["seq"])
    refreshing.put("LOAD00000001.csv")
    applied = refreshing.step(LOAD, "run", 0)
    refreshing.commit(applied, last=f"000001 1 20240809{'0' * 27} f.csv 1")
    refreshing.step(LOAD, "run", 1)
    with pytest.raises(
        RefreshRefusedError, match=f"as_of '{as_of}' is not written like the values"
    ):
        refreshing.step(ASKED | {"as_of": as_of}, "person", 0)
    refreshing.fail("RefreshRefusedError", None, run="person")
    forced = refreshing.step(ASKED | {"as_of": as_of, "force": True}, "another", 0)
    assert refreshing.read(forced).as_of == as_of


@pytest.mark.parametrize(
    ("loaded", "as_of"),
    [("", "soon"), ("2024-08-09T10:00:00.", "A/1"), ("0000000A/00000012", "12"), ("1" * 35, "A/1")],
)
def test_as_of_that_is_not_written_as_what_was_loaded_is_refused(loaded, as_of):
    of = contract({"id": "integer", "seq": "varchar(40)"}, sequence=["seq"])
    with pytest.raises(
        RefreshRefusedError, match=f"as_of '{as_of}' is not written like the values"
    ):
        refuse_unlike(as_of, of, f"000001 1 {loaded} f.csv 1")


@pytest.mark.parametrize(
    ("loaded", "as_of"),
    [
        ("20240809" + "0" * 27, "20240810" + "0" * 27),
        ("1" + "0" * 33 + "7", "12"),
        ("2024-08-09T10:00:00.", "2024-08-10 09:00:00"),
        ("0000000A/00000012", "B/1"),
        ("1" + "0" * 30 + "1013", "0999"),
        ("", "7"),
    ],
)
def test_as_of_that_is_written_as_what_was_loaded_is_taken(refreshing, loaded, as_of):
    of = contract({"id": "integer", "seq": "varchar(40)"}, sequence=["seq"])
    refuse_unlike(as_of, of, f"000001 1 {loaded} f.csv 1")


def test_as_of_that_is_later_than_the_snapshot_is_refused(refreshing):
    refreshing.step.contracts[TABLE] = STAMPED
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    with pytest.raises(RefreshRefusedError, match="more than a day after the snapshot landed"):
        refreshing.step(ASKED | {"as_of": "2199-01-01"}, "run", 0)


def test_force_passes_no_batch_that_comes_after_the_one_that_was_held_back(refreshing):
    forced = LOAD | {"force": True}
    refreshing.put("20240809-1.csv")
    refreshing.fail("MassDeleteError", refreshing.step(LOAD, "run", 0))
    released = refreshing.step(forced, "person", 0)
    assert refreshing.read(released).load.max_deletes is None
    refreshing.commit(released)
    refreshing.put("20240809-2.csv")
    for _ in range(2):  # the second time because the first failed for a reason that passes
        next_one = refreshing.step(forced, "person", released.rounds)
        assert refreshing.read(next_one).load.max_deletes is not None


def test_deletes_of_the_open_batch_are_released_by_force_and_of_no_other(refreshing):
    refreshing.put("20240809-1.csv")
    held_back = refreshing.step(LOAD, "run", 0)
    assert refreshing.read(held_back).load.max_deletes is not None
    refreshing.fail("MassDeleteError", held_back)
    assert '"force": true' in refreshing.letters[0][1]
    again = refreshing.step(LOAD, "run", 0)
    assert refreshing.read(again).load.max_deletes is not None
    refreshing.fail("MassDeleteError", again)
    released = refreshing.step(LOAD | {"force": True}, "person", 0)
    assert refreshing.read(released).load.max_deletes is None
    refreshing.commit(released)
    refreshing.put("20240809-2.csv")
    assert refreshing.read(refreshing.step(LOAD, "person", 1)).load.max_deletes is not None
