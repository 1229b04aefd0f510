"""How a run ends: a batch is recorded once; a failure is tried again, or told to people once."""

import ast
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.samples import PREFIX, Clock, Workshop, contract, landed, ledger_table, plan
from tidegate import errors
from tidegate.batch.applied import applied_contract
from tidegate.batch.plan import BatchFolder, Outcome, PreparedChunk, PreparedFile
from tidegate.batch.refresh import Refresh
from tidegate.errors import LoadFailedError
from tidegate.finishing.classification import kind_of
from tidegate.finishing.commit_batch import CommitBatch
from tidegate.finishing.fail_batch import LONGEST_WAIT, FailBatch, Failure, Verdict
from tidegate.ledger import FileHistory, FileLedger, RefreshLedger, StateLedger
from tidegate.runs import is_due

ROOT = Path(__file__).parents[2]
TABLE, RUN = "sales.orders", "arn:run"
LOAD = {"table": TABLE}
TRANSIENT = ["DeploymentError", "WarehouseBusyError", "ServiceBusyError", "TooNarrowError"]
TERMINAL = ["ContractError", "InvalidInputError", "LoadFailedError", "SettingsError"]
UNKNOWN = ["States.TaskFailed", "ClientError", "Lambda.Unknown", "KeyError", "Exception", ""]
OF_AWS = [
    *("States.Timeout", "Glue.ConcurrentRunsExceededException", "Glue.InternalServiceException"),
    *("Lambda.TooManyRequestsException", "EndpointConnectionError", "ReadTimeoutError"),
    *("ProvisionedThroughputExceededException", "AccessDeniedException"),
]


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

    def fail(
        self,
        error: str,
        cause: str = "why",
        plan_key: str | None = None,
        request: dict[str, Any] = LOAD,
    ) -> Verdict:
        step = FailBatch(
            states=self.states,
            refreshes=self.refreshes,
            work=self.work,
            notify=lambda subject, text: self.letters.append((subject, text)),
            most_attempts=3,
            retry_seconds=30,
        )
        key = self.folder.plan if plan_key is None else plan_key
        return step(request, RUN, key, Failure(error=error, cause=cause))

    def is_due(self) -> bool:
        return is_due(self.states.read(TABLE), timedelta(0), self.states.now())


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
    said = (
        r"sales\.orders: the job did not report success for batch 7; look at s3://.*outcome\.json"
    )
    with pytest.raises(LoadFailedError, match=said):
        finishing.commit(finishing.folder.plan)
    assert finishing.files.count_pending(TABLE) == 3


@pytest.mark.parametrize("error", TRANSIENT + OF_AWS + UNKNOWN)
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


def test_waits_double_until_the_attempts_of_an_unknown_error_are_used_up(finishing):
    verdicts = [finishing.fail("Runtime.ExitError") for _ in range(3)]
    assert [(v.verdict, v.wait_seconds) for v in verdicts] == [
        ("retry", 30),
        ("retry", 60),
        ("give_up", 0),
    ]
    assert (len(finishing.letters), finishing.states.read(TABLE).blocked) == (1, True)


@pytest.mark.parametrize("error", TRANSIENT + OF_AWS)
def test_transient_error_never_blocks_a_table_however_often_it_comes(finishing, error):
    verdicts = [finishing.fail(error) for _ in range(50)]
    waits = [30, 60, 120, 240, 480] + [LONGEST_WAIT] * 45
    assert [verdict.wait_seconds for verdict in verdicts] == waits
    state = finishing.states.read(TABLE)
    assert (state.blocked, state.attempts, state.last_error) == (False, 50, f"{error}: why")
    assert finishing.letters == []


def test_run_waits_a_minute_itself_and_leaves_what_takes_longer_to_a_later_run(finishing):
    assert [finishing.fail("WarehouseBusyError").verdict for _ in range(2)] == ["retry"] * 2
    assert finishing.states.read(TABLE).holder == RUN
    assert finishing.fail("WarehouseBusyError", "Redshift is away") == Verdict(
        verdict="later",
        wait_seconds=120,
        error="WarehouseBusyError",
        message="Redshift is away",
    )
    state = finishing.states.read(TABLE)
    assert (state.holder, state.open_batch) == (None, 7)
    assert state.retry_at == finishing.states.now() + 120
    finishing.clock.now += 119
    finishing.states.wake(TABLE, landed_at=0)
    assert not finishing.is_due()
    finishing.clock.now += 1
    assert finishing.is_due()


def test_attempts_and_waits_begin_anew_once_a_batch_is_applied(finishing):
    for _ in range(4):
        finishing.fail("WarehouseBusyError")
    finishing.report(last_position="p9")
    finishing.commit(finishing.folder.plan)
    state = finishing.states.read(TABLE)
    assert (state.attempts, state.retry_at, state.failing_since) == (0, 0, None)
    finishing.states.acquire(TABLE, RUN, 60)
    assert finishing.fail("WarehouseBusyError").wait_seconds == 30


def test_unknown_errors_block_only_if_nothing_else_comes_between_them(finishing):
    errors_in_turn = ["KeyError", "KeyError", "WarehouseBusyError", "KeyError", "KeyError"]
    for error in errors_in_turn:
        assert finishing.fail(error).verdict != "give_up"
    assert finishing.fail("KeyError").verdict == "give_up"


def test_table_that_fails_says_since_when(finishing):
    first = finishing.states.now()
    finishing.fail("WarehouseBusyError")
    finishing.clock.now += 30
    finishing.fail("WarehouseBusyError")
    assert finishing.states.read(TABLE).failing_since == first


@pytest.mark.parametrize("more", [{"mode": "replay"}, {"mode": "full_refresh"}, {"force": True}])
def test_run_stays_until_what_it_was_asked_for_is_noted(finishing, more):
    verdicts = [finishing.fail("ServiceBusyError", plan_key="", request=LOAD | more)] * 4
    assert {verdict.verdict for verdict in verdicts} == {"retry"}
    assert finishing.states.read(TABLE).retry_at == 0


@pytest.mark.parametrize("more", [{"mode": "replay"}, {"force": True}])
def test_run_leaves_to_a_later_one_what_was_noted_when_its_batch_was_planned(finishing, more):
    verdicts = [finishing.fail("WarehouseBusyError", request=LOAD | more) for _ in range(3)]
    assert [verdict.verdict for verdict in verdicts] == ["retry", "retry", "later"]


@pytest.mark.parametrize(("wanted_by", "verdict"), [(RUN, "later"), ("another run", "retry")])
def test_refresh_is_left_to_a_later_run_only_if_the_ledger_has_it(finishing, wanted_by, verdict):
    finishing.refreshes.want(TABLE, Refresh(run=wanted_by))
    request = LOAD | {"mode": "full_refresh"}
    verdicts = [finishing.fail("WarehouseBusyError", request=request) for _ in range(3)]
    assert verdicts[-1].verdict == verdict
    assert finishing.states.read(TABLE).refresh == Refresh(run=wanted_by)


def test_run_that_fails_before_it_plans_does_not_leave_a_table_that_is_blocked(finishing):
    finishing.states.release(TABLE, finishing.plan.fence)
    finishing.states.block(TABLE, "an earlier run", "ContractError: why")
    verdicts = [finishing.fail("ServiceBusyError", plan_key="") for _ in range(9)]
    assert {verdict.verdict for verdict in verdicts} == {"retry"}
    assert (finishing.states.read(TABLE).blocked, finishing.letters) == (True, [])


def test_run_that_fails_before_it_takes_the_lease_is_followed_by_another(finishing):
    finishing.states.release(TABLE, finishing.plan.fence)
    verdicts = [finishing.fail("ServiceBusyError", plan_key="") for _ in range(3)]
    assert verdicts[-1].verdict == "later"
    finishing.clock.now += 120
    assert finishing.is_due()


def test_failure_that_is_recorded_twice_since_the_first_answer_was_lost_still_waits(finishing):
    for _ in range(3):
        finishing.fail("WarehouseBusyError")
    assert finishing.fail("WarehouseBusyError").verdict == "later"
    state = finishing.states.read(TABLE)
    assert (state.holder, state.open_batch, state.blocked) == (None, 7, False)
    assert state.retry_at == finishing.states.now() + 240


def test_what_the_job_says_last_counts_if_it_could_not_report(finishing):
    cause = {"ErrorMessage": "SystemExit: ServiceBusyError: S3 was not reached"}
    verdict = finishing.fail("States.TaskFailed", json.dumps(cause))
    assert verdict.error == "ServiceBusyError"


def test_job_that_ran_too_long_is_tried_again_like_one_that_step_functions_gave_up(finishing):
    cause = {"JobRunState": "TIMEOUT", "ErrorMessage": "Job run timed out after 60 minutes"}
    assert finishing.fail("States.TaskFailed", json.dumps(cause)).error == "States.Timeout"


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
    verdicts = [finishing.fail("KeyError", "a bug", plan_key="").verdict for _ in range(3)]
    assert verdicts == ["retry", "retry", "give_up"]
    assert finishing.states.read(TABLE).last_error == "KeyError: a bug"
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
    assert {kind_of(name) for name in terminal} == {"terminal"}
    assert {kind_of(name) for name in transient} == {"transient"}


@pytest.mark.parametrize(
    ("error", "message", "kind"),
    [
        *((error, "why", "transient") for error in OF_AWS),
        *((error, "why", "unknown") for error in UNKNOWN),
        ("ClientError", "An error occurred (SlowDown) when calling the PutObject …", "transient"),
        ("ClientError", "An error occurred (503) when calling the HeadObject …", "transient"),
        ("ClientError", "An error occurred (AccessDenied) when calling …", "transient"),
        ("ClientError", "An error occurred (KMS.DisabledException) when calling …", "transient"),
        ("ClientError", "An error occurred (ValidationException) when calling …", "unknown"),
        ("KeyError", "'An error'", "unknown"),
    ],
)
def test_error_of_aws_is_known_by_its_name_or_code(error, message, kind):
    assert kind_of(error, message) == kind


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
    for name, length in narrow.items():
        finishing.report(error="TooNarrowError", message="too narrow", narrow={name: length})
        assert finishing.fail("States.TaskFailed").verdict in {"retry", "later"}
    assert finishing.states.read(TABLE).narrow == narrow
    finishing.report(last_position="p9")
    finishing.commit(finishing.folder.plan)
    assert finishing.states.read(TABLE).narrow == {}
