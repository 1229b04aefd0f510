"""A file that prepare_chunk dies of is found and set aside; its neighbours are loaded."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.samples import PREFIX, contract, landed
from tests.unit.test_planning import TABLE, Planning
from tidegate.batch.plan import BatchFolder, Death, OpenBatch, Outcome, PreparedChunk
from tidegate.finishing.commit_batch import CommitBatch
from tidegate.finishing.fail_batch import FailBatch, Failure, Verdict
from tidegate.ledger import FileHistory, HandLedger, RefreshLedger
from tidegate.planning.cut import Limits
from tidegate.planning.narrowing import MOST_SET_ASIDE, narrow, set_aside
from tidegate.planning.plan_batch import Planned
from tidegate.preparing.deaths import death_of
from tidegate.setting_aside import SetAside

KILLED = '{"errorType": "Runtime.ExitError", "errorMessage": "RequestId: 1 Error: signal: killed"}'
REASON = (
    "prepare_chunk died twice on this file alone (Runtime.ExitError: RequestId: 1 Error: signal: "
    "killed); split it, or give prepare_chunk more memory, and land it again"
)


class Loading(Planning):
    """Runs of load_table in which prepare_chunk dies of the files that are `deadly`."""

    def __init__(self) -> None:
        super().__init__()
        limits = Limits(chunk_files=250)
        self.step = replace(self.step, limits=limits)
        self.deadly: set[str] = set()
        self.error = "Runtime.ExitError"
        self.letters: list[str] = []
        self.fail_batch = FailBatch(
            states=self.states,
            refreshes=RefreshLedger(self.ledger),
            work=self.work,
            notify=lambda subject, _: self.letters.append(subject),
            most_attempts=3,
            retry_seconds=30,
        )

    def put(self, *names: str) -> None:
        of = contract()
        files = [self.shop.land(PREFIX + name, b"I,1,Ann\n", of) for name in names]
        self.files.register(TABLE, files)
        self.states.wake(TABLE, landed_at=1)

    def attempt(self) -> tuple[Planned, Verdict | None]:
        """Plan and prepare; where a chunk dies, the others may have been prepared or not."""
        planned = self.step({"table": TABLE}, "run", 0)
        for chunk in planned.chunks:
            if self.kills(planned, chunk):
                self.shop.prepare_chunk.note_death(planned.plan, chunk, self.error, KILLED)
                failure = Failure(error=self.error, cause=KILLED)
                return planned, self.fail_batch({"table": TABLE}, "run", planned.plan, failure)
            self.shop.prepare_chunk(planned.plan, chunk)
        return planned, None

    def kills(self, planned: Planned, chunk: int) -> bool:
        plan = self.read(planned)
        read = {file.id: file.key for file in plan.chunks[chunk] if file.id not in plan.set_aside}
        return any(key.removeprefix(PREFIX) in self.deadly for key in read.values())

    def load(self, planned: Planned) -> None:
        plan = self.read(planned)
        outcome = BatchFolder(TABLE, plan.batch, plan.fence).outcome
        self.work.write(outcome, Outcome(last_position="p"))
        CommitBatch(self.files, self.states, self.work)(planned.plan)

    def run(self) -> int:
        """Attempts until a batch is loaded, or the table is blocked."""
        for number in range(1, 100):
            planned, verdict = self.attempt()
            if verdict is None:
                self.load(planned)
                return number
            if verdict.verdict == "give_up":
                return number
        raise AssertionError("it never ends")

    def quarantined(self) -> dict[str, str | None]:
        refused = FileHistory(self.ledger).refused(TABLE)
        return {file.key.removeprefix(PREFIX): file.reason for file in refused}


@pytest.fixture
def loading(aws) -> Loading:
    return Loading()


def test_file_that_is_deadly_is_found_among_many_and_the_others_are_loaded(loading):
    loading.put(*(f"{number:03d}.csv" for number in range(250)))
    loading.deadly = {"137.csv"}
    assert loading.run() == 6
    assert loading.quarantined() == {"137.csv": REASON}
    state = loading.states.read(TABLE)
    assert (state.applied_files, state.quarantined_files, state.blocked) == (249, 1, False)
    assert (loading.files.count_pending(TABLE), loading.letters) == (0, [])


def test_file_that_is_alone_in_its_batch_is_set_aside_after_the_second_time(loading):
    loading.put("1.csv")
    loading.deadly = {"1.csv"}
    assert loading.run() == 3
    assert loading.quarantined() == {"1.csv": REASON}


def test_file_that_died_once_by_chance_is_loaded(loading):
    loading.put("1.csv")
    loading.deadly = {"1.csv"}
    assert loading.attempt()[1].verdict == "retry"
    loading.deadly = set()
    assert loading.run() == 1
    assert loading.quarantined() == {}


def test_few_files_are_set_aside_together_and_of_more_a_person_is_told(loading):
    loading.put(*(f"{number:03d}.csv" for number in range(20)))
    few = {f"{number:03d}.csv" for number in range(MOST_SET_ASIDE)}
    loading.deadly = few
    loading.run()
    assert loading.quarantined().keys() == few
    loading.put(*(f"{number:03d}.csv" for number in range(100, 120)))
    loading.deadly = {f"{number:03d}.csv" for number in range(100, 120)}
    loading.run()
    assert loading.states.read(TABLE).blocked
    assert loading.letters == ["Tidegate: sales.orders is blocked"]
    assert loading.quarantined().keys() == few


@pytest.mark.parametrize(
    "error", ["ServiceBusyError", "ContractError", "ClientError", "Lambda.ServiceException"]
)
def test_failure_that_is_not_of_the_files_cuts_nothing(loading, error):
    loading.put("1.csv", "2.csv")
    loading.deadly, loading.error = {"1.csv"}, error
    first, _ = loading.attempt()
    second, _ = loading.attempt()
    assert loading.read(second).chunks == loading.read(first).chunks


def test_many_chunks_that_fail_for_another_reason_than_their_files_never_block(loading):
    loading.put("1.csv", "2.csv")
    planned = loading.step({"table": TABLE}, "run", 0)
    failure = Failure(error="States.ExceedToleratedFailureThreshold", cause="")
    verdicts = {
        loading.fail_batch({"table": TABLE}, "run", planned.plan, failure).verdict
        for _ in range(2 * loading.fail_batch.most_attempts)
    }
    assert "give_up" not in verdicts
    assert not loading.states.read(TABLE).blocked


def test_chunk_of_many_that_died_is_cut_smaller_whatever_the_map_says(loading):
    loading.put("1.csv", "2.csv")
    planned = loading.step({"table": TABLE}, "run", 0)
    loading.shop.prepare_chunk.note_death(planned.plan, 0, loading.error, KILLED)
    failure = Failure(error="States.ExceedToleratedFailureThreshold", cause="")
    verdict = loading.fail_batch({"table": TABLE}, "run", planned.plan, failure)
    assert verdict.verdict == "retry"
    assert [
        len(chunk) for chunk in loading.read(loading.step({"table": TABLE}, "run", 1)).chunks
    ] == [1, 1]


def test_set_aside_file_is_loaded_when_it_lands_again_and_kills_no_more(loading):
    loading.put("1.csv")
    loading.deadly = {"1.csv"}
    loading.run()
    loading.deadly = set()
    [file] = FileHistory(loading.ledger).refused(TABLE)
    again = file.as_landed().model_copy(update={"landed_at": file.landed_at + 9})
    assert FileHistory(loading.ledger).land_again(TABLE, [again], lambda _: True)
    loading.run()
    assert (loading.quarantined(), loading.states.read(TABLE).applied_files) == ({}, 1)


def test_attempt_that_was_applied_counts_with_the_chunks_that_it_had(loading):
    loading.put("1.csv", "2.csv")
    first, _ = loading.attempt()
    fence = loading.read(first).fence
    loading.deadly = {"2.csv"}
    assert loading.attempt()[1].verdict == "retry"
    loading.deadly = set()
    second, _ = loading.attempt()
    plan = loading.read(second)
    assert (len(loading.read(first).chunks), len(plan.chunks)) == (1, 2)
    outcome = Outcome(last_position="p", already_applied=True, fence=fence)
    loading.work.write(BatchFolder(TABLE, plan.batch, plan.fence).outcome, outcome)
    CommitBatch(loading.files, loading.states, loading.work)(second.plan)
    assert loading.states.read(TABLE).applied_files == 2


def test_file_that_is_set_aside_is_not_fetched(loading):
    loading.put("1.csv", "2.csv")
    loading.shop.s3.delete_object(Bucket=loading.shop.landing, Key=PREFIX + "1.csv")
    planned = loading.step({"table": TABLE}, "run", 0)
    plan = loading.read(planned)
    [file, _] = plan.chunks[0]
    loading.work.write(planned.plan, plan.model_copy(update={"set_aside": {file.id: "by hand"}}))
    prepared = loading.shop.prepare_chunk(planned.plan, 0)
    assert {one.id: one.quarantined for one in prepared.files}[file.id] == "by hand"
    folder = BatchFolder(TABLE, plan.batch, plan.fence)
    assert loading.work.read(folder.prepared(0), PreparedChunk).rows == 1


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("Runtime.ExitError", "RequestId: 1 Error: signal: killed"),
        ("Runtime.OutOfMemory", "RequestId: 1 Error: signal: killed"),
        ("Sandbox.Timedout", "RequestId: 1 Error: signal: killed"),
        ("Lambda.Unknown", "RequestId: 1 Error: signal: killed"),
        ("OutOfMemoryException", ""),
        ("InternalException", ""),
        ("OSError", ""),
        ("RecursionError", ""),
        ("MemoryError", ""),
        ("error", ""),
    ],
)
def test_what_a_file_may_be_at_fault_for_is_told_without_what_it_holds(error, message):
    assert death_of(3, error, KILLED) == Death(chunk=3, error=error, message=message)


@pytest.mark.parametrize(
    "error",
    [
        *("ClientError", "ServiceBusyError", "ContractError", "SettingsError", "NoSuchBucket"),
        *("ConnectionResetError", "TimeoutError", "EndpointConnectionError", "ReadTimeoutError"),
        *("Lambda.TooManyRequestsException", "States.Timeout", "SlowDown", "AccessDenied", ""),
        *("ModuleNotFoundError", "print", "connect", "KeyboardInterrupt"),
    ],
)
def test_what_no_file_is_at_fault_for_is_no_death(error):
    assert death_of(3, error, KILLED) is None


FILES = [landed(f"{PREFIX}{number:03d}.csv") for number in range(60)]


@given(
    sizes=st.lists(st.integers(1, 20), min_size=1, max_size=3),
    deadly=st.sets(st.integers(0, 59), max_size=6),
)
def test_whatever_kills_is_set_aside_and_nothing_else_and_no_file_is_lost(sizes, deadly):
    chunks = [FILES[20 * n : 20 * n + size] for n, size in enumerate(sizes)]
    ids = {FILES[number].id for number in deadly}
    batch = OpenBatch(epoch=1, chunks=chunks)
    for _ in range(8):
        dead = [
            number
            for number, chunk in enumerate(batch.chunks)
            if any(file.id in ids and file.id not in batch.set_aside for file in chunk)
        ]
        batch = narrow(batch, [Death(chunk=number, error="E") for number in dead])
    landed_files = [file for chunk in chunks for file in chunk]
    assert [file for chunk in batch.chunks for file in chunk] == landed_files
    assert batch.set_aside.keys() == ids & {file.id for file in landed_files}
    assert narrow(batch, []) == batch


def test_files_that_a_person_named_are_set_aside_if_they_are_of_the_batch():
    batch = OpenBatch(epoch=1, chunks=[FILES[:2]], set_aside={FILES[0].id: "died"})
    found = set_aside(batch, {FILES[1].id: "by hand", FILES[9].id: "by hand"})
    assert found.set_aside == {FILES[0].id: "died", FILES[1].id: "by hand"}
    assert set_aside(batch, {FILES[9].id: "by hand"}) == batch


def test_file_that_a_person_set_aside_is_left_out_of_the_open_batch(loading):
    loading.put("1.csv", "2.csv")
    loading.deadly, loading.error = {"1.csv"}, "LoadFailedError"
    planned, verdict = loading.attempt()
    assert verdict.verdict == "give_up"
    [file, _] = loading.read(planned).chunks[0]
    by_hand = SetAside(loading.states, HandLedger(loading.ledger, loading.clock), loading.work)
    assert by_hand([TABLE], file.key, "broken") == [TABLE]
    assert loading.run() == 1
    assert loading.quarantined() == {"1.csv": "set aside by hand: broken"}
    assert loading.states.read(TABLE).applied_files == 1
