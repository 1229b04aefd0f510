"""Starting runs of load_table, for tables that have something to do and nobody who does it."""

import json
import re
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from tidegate.ledger import TableState

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient

LATER: Literal["later"] = "later"  # what fail_batch tells a run that another one goes on with
TRIED_AGAIN = "Tidegate tries again by itself: tidegate status"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


def is_due(state: TableState, freshness: timedelta, now: int) -> bool:
    """Whether a run should start: work has waited its time, nobody is at it, nobody must look.

    After a failure that passes, not before it is time to try again, whatever lands meanwhile.
    """
    if state.blocked or state.is_held(now) or now < state.retry_at:
        return False
    begun = (state.open_batch, state.refresh, state.failing_since)
    if any(one is not None for one in begun):
        return True
    if state.pending_since is None:
        return False
    # The clock that stamped the event may be ahead of this one.
    return max(now - state.pending_since, 0) >= freshness.total_seconds()


def seconds_waited(state: TableState, freshness: timedelta, now: int) -> int:
    """For how many seconds a table has been later than its freshness allows, or has failed.

    A table that is applied batch after batch is not late. A blocked one does not count: people have
    been told, and it must not hide what happens to the others.
    """
    if state.blocked:
        return 0
    late_from = failing_from = now
    if state.pending_since is not None:
        applied = max(state.pending_since, state.last_success_at or 0)
        late_from = applied + int(freshness.total_seconds())
    if state.failing_since is not None:
        failing_from = state.failing_since
    return max(now - min(late_from, failing_from), 0)


def start_run(client: "SFNClient", state_machine: str, table: str, **more: str | bool) -> str:
    """Start load_table for `table`, with `more` in its input; give the execution's ARN.

    Two starts for one table do no harm: the second run finds the lease taken and leaves. A name
    that could repeat would do harm: Step Functions refuses it for 90 days.
    """
    name = f"{_NOT_IN_NAMES.sub('-', table)[:40]}-{uuid.uuid4().hex}"
    started = client.start_execution(
        stateMachineArn=state_machine, name=name, input=json.dumps({"table": table, **more})
    )
    return started["executionArn"]


def is_running(client: "SFNClient", execution: str) -> bool:
    """Whether the execution of that ARN still runs; one that Step Functions forgot does not."""
    try:
        return client.describe_execution(executionArn=execution)["status"] == "RUNNING"
    except client.exceptions.ExecutionDoesNotExist:
        return False


def read_end(client: "SFNClient", execution: str) -> str | None:
    """Why the execution of that ARN failed, empty if it did not; None while it runs.

    One that left its work to a later run, as fail_batch told it to, has failed too.
    """
    found = client.describe_execution(executionArn=execution)
    status = found["status"]
    if status == "RUNNING":
        return None
    if status == "SUCCEEDED":
        failed = json.loads(found.get("output", "{}")).get("failed", {})
        is_left = failed.get("verdict") == LATER
        return f"{failed['error']}: {failed['message']}; {TRIED_AGAIN}" if is_left else ""
    error, cause = found.get("error", status.lower()), read_cause(found.get("cause", ""))
    return f"{error}: {cause}" if cause else f"the run was {error}"


def read_cause(cause: str) -> str:
    """The words in the cause of a failure: Lambda's and Glue's are JSON, others plain text."""
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    if not isinstance(told, dict):
        return cause
    return str(told.get("errorMessage") or told.get("ErrorMessage") or cause)
