"""The step fail_batch: a failure is classified, recorded, and told to people if they must act."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from tidegate import errors
from tidegate.landing.starting import read_cause
from tidegate.ledger import RefreshLedger, StateLedger, TableState
from tidegate.planning.narrowing import goes_on, read_deaths
from tidegate.planning.plan import BatchFolder, Outcome, Plan
from tidegate.storage import WorkBucket

# What Step Functions calls a job that failed; only then is the outcome beside the plan the cause.
_OF_THE_JOB = {"States.TaskFailed", "States.Timeout"}
LONGEST_WAIT = 900  # seconds
_LONGEST_MESSAGE = 2_000  # characters


class Failure(BaseModel):
    """What the state machine caught: the name of the error and its cause, JSON or text."""

    error: str
    cause: str


class Verdict(BaseModel):
    """Whether the run tries again, and after how many seconds; else what it fails with."""

    verdict: Literal["retry", "give_up"]
    wait_seconds: int = 0
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class FailBatch:
    """Decides what a failure means; `notify` takes a subject and a text."""

    states: StateLedger
    refreshes: RefreshLedger
    work: WorkBucket
    notify: Callable[[str, str], object]
    most_attempts: int
    retry_seconds: int

    def __call__(self, table: str, execution: str, plan_key: str, failure: Failure) -> Verdict:
        """Record the failure of a run of `table`; the batch stays as it was planned.

        A run that lost the lease goes without a word: another one does its work. So does one that
        blocked the table, or let go of a refused refresh, already. Of a blocked table people are
        not told once more before a run has taken its lease.
        A transient error is tried again, after a wait that doubles, until `most_attempts` failed
        in a row; a terminal one blocks the table at once. Other tables are not concerned. Of what
        prepare_chunk dies of, the next attempts look for the file that is at fault.
        A full refresh that is refused is forgotten, and the table goes on as if nobody had asked.
        People are told before either: if this dies between the two, they are told again, not never.
        """
        outcome = self._outcome(plan_key, failure)
        error, message = _cause(outcome, failure)
        end = Verdict(verdict="give_up", error=error, message=message)
        before = self.states.read(table)
        if self._is_over(before, execution, error):
            return end
        state = self.states.record_failure(table, execution, _last_error(before, end))
        if state is None:
            # What this run was asked for may not be noted yet, so that the other would not do it.
            return end if plan_key or is_terminal(error) else self._again(end, attempts=1)
        if outcome.narrow:
            self.states.note_narrow(table, execution, state.narrow | outcome.narrow)
        if error == errors.MassDeleteError.__name__:
            self.states.hold_back(table, execution)
        if self._goes_on(state, outcome, error) or self._narrows_down(plan_key, error):
            return self._again(end, state.attempts)
        is_new = before.holder is not None or not before.blocked
        try:
            if is_new:
                self.notify(*_letter(table, error, message))
        finally:
            if error == errors.RefreshRefusedError.__name__:
                self._refuse_refresh(execution, before, table, end, by_redshift=bool(outcome.error))
            else:
                last_error = f"{error}: {message}" if is_new else _last_error(before, end)
                self.states.block(table, execution, last_error)
        return end

    def _is_over(self, before: TableState, execution: str, error: str) -> bool:
        """Whether a run has lost its table, or done all that there is to do about its failure."""
        if error == errors.RefreshRefusedError.__name__:
            return before.holder != execution
        return error == errors.LeaseLostError.__name__ or before.blocked_by == execution

    def _goes_on(self, state: TableState, outcome: Outcome, error: str) -> bool:
        if error == errors.MassDeleteError.__name__:
            # The refresh that is wanted takes the place of what is held back.
            return state.refresh is not None
        # Where columns are narrow, at least one more is known each time, so this ends.
        may_pass = bool(outcome.narrow) or state.attempts < self.most_attempts
        return may_pass and not is_terminal(error)

    def _narrows_down(self, plan_key: str, error: str) -> bool:
        """Whether prepare_chunk died, and the next attempt is closer to the file it died of."""
        if not plan_key or is_terminal(error):
            return False
        deaths = read_deaths(self.work, plan_key)
        return bool(deaths) and goes_on(self.work.read(plan_key, Plan), deaths)

    def _again(self, end: Verdict, attempts: int) -> Verdict:
        wait = min(self.retry_seconds * 2 ** (attempts - 1), LONGEST_WAIT)
        return end.model_copy(update={"verdict": "retry", "wait_seconds": wait})

    def _refuse_refresh(
        self, execution: str, before: TableState, table: str, end: Verdict, *, by_redshift: bool
    ) -> None:
        if by_redshift:
            self.refreshes.abandon(table, execution)
        else:
            # What was to be replaced waits as before: its batch may be applied, or held back.
            self.refreshes.turn_down(table, execution, _last_error(before, end))

    def _outcome(self, plan_key: str, failure: Failure) -> Outcome:
        """What the job reports, if it is the job that failed."""
        if not plan_key or failure.error not in _OF_THE_JOB:
            return Outcome()
        plan = self.work.read(plan_key, Plan)
        folder = BatchFolder(plan.table, plan.batch, plan.fence)
        return self.work.find(folder.outcome, Outcome) or Outcome()


def _cause(outcome: Outcome, failure: Failure) -> tuple[str, str]:
    if outcome.error:
        return outcome.error, (outcome.message or "")[:_LONGEST_MESSAGE]
    return failure.error, read_cause(failure.cause)[:_LONGEST_MESSAGE]


def _last_error(before: TableState, end: Verdict) -> str:
    """What a table's last error is after a failure: of a blocked one, why it is blocked."""
    passes = not is_terminal(end.error) or end.error == errors.RefreshRefusedError.__name__
    kept = before.last_error if before.blocked and passes else None
    return kept or f"{end.error}: {end.message}"


def is_terminal(name: str) -> bool:
    """Whether the error of that name needs a person; an unknown one is tried again first."""
    found = getattr(errors, name, None)
    return isinstance(found, type) and issubclass(found, errors.TerminalError)


def _letter(table: str, error: str, message: str) -> tuple[str, str]:
    """What people are told: subject and text."""
    if error == errors.RefreshRefusedError.__name__:
        return f"Tidegate: the refresh of {table} was refused", message
    given: dict[str, str | bool] = {"table": table}
    when, command = "Mend the cause, then", "start"
    if error == errors.MassDeleteError.__name__:
        given["force"] = True
        when, command = "If these deletes are right", "release"
    return f"Tidegate: {table} is blocked", (
        f"{table} is blocked after a failure; its files wait and nothing is lost.\n\n"
        f"{error}: {message}\n\n"
        f"{when}:\n\n    tidegate {command} {table}\n\n"
        f"or start the state machine load_table with the input {json.dumps(given)}\n"
    )
