"""Starts runs of load_table, decides when one is due, and reads how it ended."""

import json
import re
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from tidegate.ledger import TableState

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient

LATER: Literal["later"] = "later"  # fail_batch's verdict if a later run takes over the work
TRIED_AGAIN = "Tidegate tries again by itself: tidegate status"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


def is_due(state: TableState, freshness: timedelta, now: int) -> bool:
    """Tell whether a run should start now: work has waited long enough, and nobody does it.

    A blocked table is never due. After a transient failure a table is due only at its next retry,
    even if more files land before.
    """
    if state.blocked or state.is_held(now) or now < state.retry_at:
        return False
    begun = (state.open_batch, state.refresh, state.failing_since)
    if any(one is not None for one in begun):
        return True
    if state.pending_since is None:
        return False
    # The clock that stamped the event may be ahead of this clock.
    return max(now - state.pending_since, 0) >= freshness.total_seconds()


def seconds_waited(state: TableState, freshness: timedelta, now: int) -> int:
    """Return for how many seconds a table has exceeded its freshness, or has been failing.

    A table that applies batch after batch is not late. A blocked table returns 0: people were told
    already, and it must not hide the other tables.
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
    """Start load_table for `table`, with `more` in its input; return the execution's ARN.

    Two starts for one table do no harm: the second run finds the lease taken and ends. The name is
    random, because Step Functions refuses a used name for 90 days.
    """
    name = f"{_NOT_IN_NAMES.sub('-', table)[:40]}-{uuid.uuid4().hex}"
    started = client.start_execution(
        stateMachineArn=state_machine, name=name, input=json.dumps({"table": table, **more})
    )
    return started["executionArn"]


def is_running(client: "SFNClient", execution: str) -> bool:
    """Tell whether an execution still runs. If Step Functions has forgotten it, it does not."""
    try:
        return client.describe_execution(executionArn=execution)["status"] == "RUNNING"
    except client.exceptions.ExecutionDoesNotExist:
        return False


def read_end(client: "SFNClient", execution: str) -> str | None:
    """Return why an execution failed: empty if it succeeded, None while it runs.

    An execution that left its work to a later run, as fail_batch decided, has failed too.
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
    """Return the message in the cause of a failure: JSON from Lambda and Glue, else plain text."""
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    if not isinstance(document, dict):
        return cause
    return str(document.get("errorMessage") or document.get("ErrorMessage") or cause)
