"""How a run ends: a batch is recorded once; a failure is tried again, or told to people once."""

import ast
import json
from pathlib import Path

import pytest

from tests.unit.samples import PREFIX, Clock, Workshop, contract, landed, ledger_table, plan
from tidegate import errors
from tidegate.errors import LoadFailedError
from tidegate.finishing.commit_batch import CommitBatch
from tidegate.finishing.fail_batch import LONGEST_WAIT, FailBatch, Failure, Verdict, is_terminal
from tidegate.ledger import FileHistory, FileLedger, RefreshLedger, StateLedger
from tidegate.planning.applied import applied_contract
from tidegate.planning.plan import BatchFolder, Outcome, PreparedChunk, PreparedFile

ROOT = Path(__file__).parents[2]
TABLE, RUN = "sales.orders", "arn:run"
TRANSIENT = ["WarehouseBusyError", "ServiceBusyError", "TooNarrowError"]
TERMINAL = ["ContractError", "InvalidInputError", "LoadFailedError", "SettingsError"]
UNKNOWN = ["States.Timeout", "States.TaskFailed", "ClientError", "Lambda.Unknown", "Exception", ""]


class Finishing:
    """A batch of three files that is planned and prepared; letters are what people were told."""

    def __init__(self) -> None:
        ledger = ledger_table()
        self.ledger, self.clock, self.letters = ledger, Clock(), []
        self.files, self.states = FileLedger(ledger), StateLedger(ledger, self.clock)
        self.refreshes = RefreshLedger(ledger)
        self.work = Workshop().work
        self.commit = CommitBatch(self.files, self.states, self.work)
        self.landed = [landed(f"{PREFIX}{number}.csv") for number in range(3)]
        self.files.register(TABLE, self.landed)
        fence = self.states.acquire(TABLE, RUN, 7200).fence
        self.plan = plan(contract(), [self.landed[:2], self.landed[2:]], batch=7, fence=fence)
        self.folder = BatchFolder(TABLE, 7, fence)
        self.work.write(self.folder.plan, self.plan)
        self.states.open_batch(TABLE, fence, 7, self.folder.plan)
        one, two, three = (file.id for file in self.landed)
        self.prepared(
            0, PreparedFile(id=one, records=5, refused=2), PreparedFile(id=two, records=1)
        )
        self.prepared(1, PreparedFile(id=three, quarantined="line 1: no"))

    def prepared(self, number: int, *files: PreparedFile) -> None:
        self.work.write(self.folder.prepared(number), PreparedChunk(files=list(files)))

    def report(self, **outcome: object) -> None:
        self.work.write(self.folder.outcome, Outcome(**outcome))

    def fail(self, error: str, cause: str = "why", plan_key: str | None = None) -> Verdict:
        step = FailBatch(
            states=self.states,
            refreshes=self.refreshes,
            work=self.work,
            notify=lambda subject, text: self.letters.append((subject, text)),
            most_attempts=3,
            retry_seconds=30,
        )
        key = self.folder.plan if plan_key is None else plan_key
        return step(TABLE, RUN, key, Failure(error=error, cause=cause))


@pytest.fixture
def finishing(aws) -> Finishing:
    return Finishing()


def test_applied_batch_settles_its_files_and_moves_the_watermark(finishing):
    finishing.report(last_position="p9", rows_staged=4, rows_inserted=3, rows_updated=1)
    found, outcome, counts = finishing.commit(finishing.folder.plan)
    state = finishing.states.read(TABLE)
    assert (found, outcome.rows_staged) == (finishing.plan, 4)
    assert counts == {"applied_files": 2, "quarantined_files": 1, "quarantined_rows": 2}
    assert (finishing.files.count_pending(TABLE), state.open_batch) == (0, None)
    assert (state.watermark, state.applied_files, state.quarantined_files) == ("p9", 2, 1)
    pk, quarantined = f"TABLE#{TABLE}", finishing.landed[2]
    assert finishing.ledger.get(pk, f"QUARANTINE#{quarantined.id}")["reason"] == "line 1: no"
    assert finishing.ledger.get(pk, f"DONE#{finishing.landed[0].id}")["refused"] == 2


def test_committing_twice_counts_once(finishing):
    finishing.report(last_position="p9", already_applied=True)
    first = finishing.commit(finishing.folder.plan)
    assert finishing.commit(finishing.folder.plan) == first
    assert finishing.states.read(TABLE).applied_files == 2


def test_batch_that_an_earlier_attempt_applied_is_known_by_the_contract_of_that_attempt(finishing):
    of = {name: contract({"id": "integer", name: "date"}) for name in ("earlier", "later")}
    known = {name: applied_contract(one, []) for name, one in of.items()}
    first = finishing.plan.model_copy(update={"applied": known["earlier"]})
    finishing.work.write(finishing.folder.plan, first)
    second = BatchFolder(TABLE, 7, first.fence + 1)
    finishing.work.write(
        second.plan, first.model_copy(update={"fence": first.fence + 1, "applied": known["later"]})
    )
    outcome = Outcome(last_position="p9", already_applied=True, fence=first.fence)
    finishing.work.write(second.outcome, outcome)
    finishing.commit(second.plan)
    assert finishing.states.read(TABLE).applied == known["earlier"]


def test_commit_that_died_after_the_files_is_finished_by_the_next(finishing, monkeypatch):
    finishing.report(last_position="p9")
    with monkeypatch.context() as patch:
        patch.setattr(finishing.states, "close_batch", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            finishing.commit(finishing.folder.plan)
    assert finishing.states.read(TABLE).open_batch == 7
    # A replay that comes in between has nothing to do: these files are loaded just now.
    FileHistory(finishing.ledger, finishing.clock).repeat(TABLE, 0, 2**31)
    finishing.commit(finishing.folder.plan)
    state = finishing.states.read(TABLE)
    assert (state.open_batch, state.applied_files, state.watermark) == (None, 2, "p9")


@pytest.mark.parametrize("outcome", [None, {"error": "LoadFailedError", "message": "no"}])
def test_batch_without_a_good_outcome_is_not_committed(finishing, outcome):
    if outcome:
        finishing.report(**outcome)
    said = r"sales\.orders: the job reported no success for batch 7; look at s3://.*outcome\.json"
    with pytest.raises(LoadFailedError, match=said):
        finishing.commit(finishing.folder.plan)
    assert finishing.files.count_pending(TABLE) == 3


@pytest.mark.parametrize("error", TRANSIENT + UNKNOWN)
def test_error_that_may_pass_is_tried_again(finishing, error):
    verdict = finishing.fail(error)
    assert (verdict.verdict, verdict.wait_seconds) == ("retry", 30)
    assert finishing.states.read(TABLE).last_error == f"{error}: why"
    assert (finishing.letters, finishing.files.count_pending(TABLE)) == ([], 3)


@pytest.mark.parametrize("error", TERMINAL)
def test_error_that_stays_blocks_the_table_and_is_told_once(finishing, error):
    verdict = finishing.fail(error, "column is wrong")
    state = finishing.states.read(TABLE)
    assert (verdict.verdict, verdict.error, verdict.message) == (
        "give_up",
        error,
        "column is wrong",
    )
    assert (state.blocked, state.holder, state.open_batch) == (True, None, 7)
    [(subject, text)] = finishing.letters
    assert subject == "Tidegate: sales.orders is blocked"
    assert f"{error}: column is wrong" in text
    assert "tidegate start sales.orders" in text
    assert '{"table": "sales.orders"}' in text


def test_letter_of_deletes_that_are_held_back_says_how_they_pass(finishing):
    finishing.fail("MassDeleteError", "it deletes 9 of 10 rows")
    [(_, text)] = finishing.letters
    assert "tidegate release sales.orders" in text
    assert '{"table": "sales.orders", "force": true}' in text


def test_waits_double_until_the_attempts_are_used_up(finishing):
    verdicts = [finishing.fail("WarehouseBusyError") for _ in range(3)]
    assert [(v.verdict, v.wait_seconds) for v in verdicts] == [
        ("retry", 30),
        ("retry", 60),
        ("give_up", 0),
    ]
    assert (len(finishing.letters), finishing.states.read(TABLE).blocked) == (1, True)


def test_waits_are_never_longer_than_the_longest(finishing):
    parts = (finishing.states, finishing.refreshes, finishing.work)
    step = FailBatch(*parts, lambda *_: None, 99, 30)
    failure = Failure(error="ServiceBusyError", cause="")
    waits = [step(TABLE, RUN, "", failure).wait_seconds for _ in range(8)]
    assert waits == [30, 60, 120, 240, 480, LONGEST_WAIT, LONGEST_WAIT, LONGEST_WAIT]


def test_what_the_job_reported_counts_more_than_what_glue_says(finishing):
    finishing.report(error="LoadFailedError", message="Redshift refused: no")
    verdict = finishing.fail("States.TaskFailed", json.dumps({"ErrorMessage": "exit code 1"}))
    assert (verdict.error, verdict.message) == ("LoadFailedError", "Redshift refused: no")
    assert finishing.states.read(TABLE).blocked


def test_failure_after_a_good_outcome_is_what_was_caught(finishing):
    finishing.report(last_position="p9")
    assert finishing.fail("ServiceBusyError", "DynamoDB").message == "DynamoDB"


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        (json.dumps({"errorMessage": "from Lambda", "errorType": "X"}), "from Lambda"),
        (json.dumps({"ErrorMessage": "from Glue", "JobRunState": "FAILED"}), "from Glue"),
        ("plain words", "plain words"),
        ("[1]", "[1]"),
        ("x" * 9999, "x" * 2000),
    ],
)
def test_cause_is_told_in_its_own_words(finishing, cause, message):
    assert finishing.fail("Unknown", cause).message == message


def test_run_that_lost_its_lease_gives_up_without_a_word(finishing):
    finishing.report(error="LeaseLostError", message="fence")
    assert finishing.fail("States.TaskFailed").verdict == "give_up"
    assert (finishing.letters, finishing.states.read(TABLE).blocked) == ([], False)


def test_failure_while_another_run_works_is_not_the_tables(finishing):
    finishing.clock.now += 7200
    finishing.states.acquire(TABLE, "another", 60)
    assert finishing.fail("LoadFailedError").verdict == "give_up"
    state = finishing.states.read(TABLE)
    assert (state.holder, state.blocked, state.attempts) == ("another", False, 0)
    assert finishing.letters == []


def test_failure_before_anything_was_planned_blocks_the_table(finishing):
    finishing.states.release(TABLE, finishing.plan.fence)
    assert finishing.fail("ContractError", plan_key="").verdict == "give_up"
    assert (len(finishing.letters), finishing.states.read(TABLE).blocked) == (1, True)


def test_run_that_dies_before_it_goes_on_with_a_blocked_table_is_tried_again(finishing):
    finishing.fail("ContractError")
    finishing.states.block(TABLE, "an earlier run", "ContractError: why")
    verdicts = [finishing.fail("Runtime.ExitError", plan_key="").verdict for _ in range(4)]
    assert verdicts == ["retry", "retry", "give_up", "give_up"]
    state = finishing.states.read(TABLE)
    assert (state.blocked, state.last_error, state.attempts) == (True, "ContractError: why", 0)
    assert len(finishing.letters) == 1


def test_run_that_dies_while_another_one_works_is_tried_again_for_what_it_was_asked(finishing):
    finishing.clock.now += 7200
    finishing.states.acquire(TABLE, "another", 60)
    assert finishing.fail("Runtime.ExitError", plan_key="").verdict == "retry"
    assert finishing.fail("ContractError", plan_key="").verdict == "give_up"
    assert finishing.fail("Runtime.ExitError").verdict == "give_up"
    assert finishing.states.read(TABLE).attempts == 0


@pytest.mark.parametrize("error", [*TRANSIENT, "RefreshRefusedError"])
def test_blocked_table_says_why_it_is_blocked_whatever_fails_before_its_batch_is_open(
    finishing, error
):
    finishing.fail("ContractError", "column is wrong")
    finishing.states.acquire(TABLE, RUN, 60)
    finishing.states.block(TABLE, "an earlier run", "ContractError: column is wrong")
    finishing.states.acquire(TABLE, RUN, 60)
    finishing.fail(error, plan_key="")
    assert finishing.states.read(TABLE).last_error == "ContractError: column is wrong"


def test_run_that_blocked_the_table_and_died_before_it_said_so_tells_nobody_twice(finishing):
    first = finishing.fail("ContractError")
    assert finishing.fail("ContractError") == first
    assert len(finishing.letters) == 1


def test_refused_refresh_that_was_let_go_of_is_told_once_and_touches_no_other_batch(finishing):
    finishing.report(error="RefreshRefusedError", message="too small")
    first = finishing.fail("States.TaskFailed")
    finishing.states.acquire(TABLE, "another", 60)
    assert finishing.fail("States.TaskFailed") == first
    assert (len(finishing.letters), finishing.states.read(TABLE).holder) == (1, "another")


def test_table_that_is_blocked_once_more_says_for_what(finishing):
    finishing.states.block(TABLE, "an earlier run", "ContractError: column is wrong")
    finishing.states.acquire(TABLE, RUN, 60)
    verdicts = [finishing.fail("ServiceBusyError", "S3", plan_key="").verdict for _ in range(3)]
    assert verdicts == ["retry", "retry", "give_up"]
    assert finishing.states.read(TABLE).last_error == "ServiceBusyError: S3"
    assert len(finishing.letters) == 1


def test_batch_that_was_closed_leaves_alone_what_waits_once_more(finishing):
    finishing.report(last_position="p9")
    first = finishing.commit(finishing.folder.plan)
    history = FileHistory(finishing.ledger, finishing.clock)
    assert history.repeat(TABLE, 0, 2**31)
    assert finishing.commit(finishing.folder.plan) == first
    state = finishing.states.read(TABLE)
    assert (finishing.files.count_pending(TABLE), state.applied_files) == (3, 0)


def errors_of(kind: type[Exception]) -> set[str]:
    return {
        name
        for name, found in vars(errors).items()
        if isinstance(found, type) and issubclass(found, kind) and found is not kind
    }


def test_errors_are_transient_or_terminal_and_never_both():
    transient, terminal = errors_of(errors.TransientError), errors_of(errors.TerminalError)
    assert (set(TRANSIENT), transient & terminal) == (transient, set())
    assert transient | terminal | {"TransientError", "TerminalError"} == errors_of(
        errors.TidegateError
    )
    assert all(is_terminal(name) for name in terminal)
    assert not any(is_terminal(name) for name in (transient | set(UNKNOWN)))


def test_errors_tree_is_drawn_as_it_is():
    drawn = {line.strip("│├└─ ").split(" ")[0] for line in (errors.__doc__ or "").splitlines()[2:]}
    assert drawn == errors_of(errors.TidegateError) | {"TidegateError"}


def test_every_error_of_the_job_is_one_of_tidegates():
    job = ast.parse((ROOT / "glue_jobs" / "load_batch.py").read_text())
    classes = {node.name for node in job.body if isinstance(node, ast.ClassDef)}
    named = {name for name in classes if name.endswith("Error")} - {"JobError"}
    assert named
    assert named <= errors_of(errors.TransientError) | errors_of(errors.TerminalError)


def test_columns_that_are_not_widened_are_noted_until_the_batch_is_applied(finishing):
    narrow = {"name": 9, "note": 4, "text": 7}
    # As many as the attempts there are: each goes on with one more column that is known.
    for name, length in narrow.items():
        finishing.report(error="TooNarrowError", message="too narrow", narrow={name: length})
        assert finishing.fail("States.TaskFailed").verdict == "retry"
    assert finishing.states.read(TABLE).narrow == narrow
    finishing.report(last_position="p9")
    finishing.commit(finishing.folder.plan)
    assert finishing.states.read(TABLE).narrow == {}
