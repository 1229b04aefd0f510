"""The step fail_batch: classifies a failure, records it, and tells people if they must act."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from tidegate import errors
from tidegate.batch.plan import BatchFolder, Death, Outcome, Plan
from tidegate.finishing.classification import JOB_FAILED, TIMED_OUT, Kind, kind_of, name_end_of_job
from tidegate.ledger import RefreshLedger, StateLedger, TableState
from tidegate.planning.narrowing import can_narrow, read_deaths
from tidegate.runs import LATER, read_cause
from tidegate.storage.work_bucket import WorkBucket

# The outcome beside the plan explains a failure only if the job failed.
_JOB_FAILURES = {JOB_FAILED, TIMED_OUT}
LONGEST_WAIT = 900  # seconds
LONGEST_STAY = 60  # seconds that a run waits with the lease; before a longer wait it ends
_LONGEST_MESSAGE = 2_000  # characters


class Failure(BaseModel):
    """An error that the state machine caught: its name, and its cause as JSON or text."""

    error: str
    cause: str


class Verdict(BaseModel):
    """What happens next, and the error.

    `retry`: this run tries again after `wait_seconds`. `later`: a later run does. `give_up`: nobody
    does.
    """

    verdict: Literal["retry", "later", "give_up"]
    wait_seconds: int = 0
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class FailBatch:
    """Decides what happens after a failure. `notify` takes the subject and the text of a letter."""

    states: StateLedger
    refreshes: RefreshLedger
    work: WorkBucket
    notify: Callable[[str, str], object]
    most_attempts: int
    retry_seconds: int

    def __call__(
        self, request: Mapping[str, Any], execution: str, plan_key: str, failure: Failure
    ) -> Verdict:
        """Record the failure of a run with the input `request`; its batch stays as planned.

        - A transient error is retried for ever. The waits double up to LONGEST_WAIT.
        - A terminal error blocks the table at once. Other tables go on.
        - An unknown error blocks the table after `most_attempts` in a row.
        - If prepare_chunk died, the next attempts narrow down the file that is at fault.
        - A refused full refresh is dropped, and the table goes on without it.
        - A run that lost the lease ends silently, because another run does its work. A run that
          already blocked the table or dropped its refresh also ends silently.

        People get the letter before the table is blocked or the refresh dropped. If the function
        dies in between, they get it twice instead of never. They get no second letter about a
        blocked table until a run takes its lease again.
        """
        table = request["table"]
        outcome = self._outcome(plan_key, failure)
        error, message = _cause(outcome, failure)
        end = Verdict(verdict="give_up", error=error, message=message)
        before = self.states.read(table)
        if self._is_over(before, execution, error):
            return end
        deaths = self._deaths(plan_key, failure)
        kind = _kind(error, message, deaths)
        last_error = _last_error(before, end)
        explained = kind != "unknown"
        state = self.states.record_failure(table, execution, last_error, explained=explained)
        if state is None:
            # The ledger may not have this run's request yet; then no other run would do it.
            return end if plan_key or kind == "terminal" else self._again(end, attempts=1)
        self._note(table, execution, state, outcome, error)
        if self._narrows_down(plan_key, deaths, kind):
            return self._again(end, attempts=1)
        if self._may_retry(state, error, kind):
            again = self._again(end, state.attempts)
            is_recorded = self._is_recorded(request, execution, plan_key, state)
            return self._postpone(table, execution, again) if is_recorded else again
        is_new = before.holder is not None or not before.blocked
        try:
            if is_new:
                self.notify(*_letter(table, error, message))
        finally:
            if error == errors.RefreshRefusedError.__name__:
                self._refuse_refresh(execution, before, table, end, by_redshift=bool(outcome.error))
            else:
                last_error = f"{error}: {message}" if is_new else last_error
                self.states.block(table, execution, last_error)
        return end

    def _is_over(self, before: TableState, execution: str, error: str) -> bool:
        """Whether a run has lost the lease, or has already handled its failure."""
        if error == errors.RefreshRefusedError.__name__:
            return before.holder != execution
        return error == errors.LeaseLostError.__name__ or before.blocked_by == execution

    def _note(
        self, table: str, execution: str, state: TableState, outcome: Outcome, error: str
    ) -> None:
        """Keep in the state what the next attempt at the open batch needs to know."""
        if outcome.narrow:
            self.states.note_narrow(table, execution, state.narrow | outcome.narrow)
        if error == errors.MassDeleteError.__name__:
            self.states.hold_back(table, execution)

    def _may_retry(self, state: TableState, error: str, kind: Kind) -> bool:
        if error == errors.MassDeleteError.__name__:
            # A refresh that was asked for replaces the batch that is held back.
            return state.refresh is not None
        return kind == "transient" or (kind == "unknown" and state.unexplained < self.most_attempts)

    def _deaths(self, plan_key: str, failure: Failure) -> list[Death]:
        """The chunks that died of their files; none where the job failed, after all of them."""
        if not plan_key or failure.error in _JOB_FAILURES:
            return []
        return read_deaths(self.work, plan_key)

    def _narrows_down(self, plan_key: str, deaths: list[Death], kind: Kind) -> bool:
        """Whether prepare_chunk died, and another attempt would narrow down the faulty file."""
        possible = bool(deaths) and kind == "unknown"
        return possible and can_narrow(self.work.read(plan_key, Plan), deaths)

    def _again(self, end: Verdict, attempts: int) -> Verdict:
        wait = min(self.retry_seconds * 2 ** (attempts - 1), LONGEST_WAIT)
        return end.model_copy(update={"verdict": "retry", "wait_seconds": wait})

    def _is_recorded(
        self, request: Mapping[str, Any], execution: str, plan_key: str, state: TableState
    ) -> bool:
        """Whether the ledger holds this run's request, so that a later run carries it out.

        Before a batch is planned, the ledger holds only plain runs of tables that are not blocked.
        It does not hold a refresh while it still holds one that another run asked for.
        """
        if request.get("mode") == "full_refresh":
            wanted = state.refresh is not None and state.refresh.run == execution
            return bool(plan_key) and (
                wanted or bool(self.refreshes.done(request["table"], execution))
            )
        return bool(plan_key) or (set(request) == {"table"} and not state.blocked)

    def _postpone(self, table: str, execution: str, again: Verdict) -> Verdict:
        """Leave the next attempt to a later run if the wait is too long for this one."""
        if again.wait_seconds <= LONGEST_STAY:
            return again
        self.states.postpone(table, execution, self.states.now() + again.wait_seconds)
        return again.model_copy(update={"verdict": LATER})

    def _refuse_refresh(
        self, execution: str, before: TableState, table: str, end: Verdict, *, by_redshift: bool
    ) -> None:
        if by_redshift:
            self.refreshes.abandon(table, execution)
        else:
            # The batch that the refresh would replace stays open: it may be applied, or held back.
            self.refreshes.turn_down(table, execution, _last_error(before, end))

    def _outcome(self, plan_key: str, failure: Failure) -> Outcome:
        """The outcome that the job wrote, if the job failed."""
        if not plan_key or failure.error not in _JOB_FAILURES:
            return Outcome()
        plan = self.work.read(plan_key, Plan)
        folder = BatchFolder(plan.table, plan.batch, plan.fence)
        return self.work.find(folder.outcome, Outcome) or Outcome()


def _cause(outcome: Outcome, failure: Failure) -> tuple[str, str]:
    if outcome.error:
        return outcome.error, (outcome.message or "")[:_LONGEST_MESSAGE]
    message = read_cause(failure.cause)[:_LONGEST_MESSAGE]
    return name_end_of_job(failure.error, failure.cause, message), message


def _kind(error: str, message: str, deaths: list[Death]) -> Kind:
    """The kind of the error; unknown where chunks died, since their files may be at fault."""
    kind = kind_of(error, message)
    return "unknown" if deaths and kind == "transient" else kind


def _last_error(before: TableState, end: Verdict) -> str:
    """The table's last error after a failure; a blocked table keeps the error that blocked it."""
    is_refused = end.error == errors.RefreshRefusedError.__name__
    passes = is_refused or kind_of(end.error, end.message) != "terminal"
    kept = before.last_error if before.blocked and passes else None
    return kept or f"{end.error}: {end.message}"


def _letter(table: str, error: str, message: str) -> tuple[str, str]:
    """The subject and the text of the letter: what is wrong, where, and what to do."""
    if error == errors.RefreshRefusedError.__name__:
        return f"Tidegate: the refresh of {table} was refused", message
    given: dict[str, str | bool] = {"table": table}
    when, command = "Fix the cause. Then run:", "start"
    if error == errors.MassDeleteError.__name__:
        given["force"] = True
        when, command = "If these deletes are right, run:", "release"
    return f"Tidegate: {table} is blocked", (
        f"{error}: {message}\n\n"
        f"Tidegate has stopped loading {table}. Its files wait, and nothing is lost. "
        "Other tables go on.\n\n"
        f"{when}\n\n    tidegate {command} {table}\n\n"
        f"Or start the state machine load_table with the input {json.dumps(given)}\n"
    )
