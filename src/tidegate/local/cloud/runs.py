"""Writes into the journal when an execution of a state machine starts and ends."""

import json
import time
from typing import Any

from moto.stepfunctions.parser.backend.execution import (
    BaseExecutionWorkerCommunication,
    Execution,
)

from tidegate.local.cloud.journal import Journal, read_error

SHOWN_NAME = 12
SHOWN = 500


class RunReport(BaseExecutionWorkerCommunication):
    """Reports one execution to the journal."""

    def __init__(self, execution: Execution, journal: Journal) -> None:
        super().__init__(execution)
        self._journal = journal
        self._source = str(execution.state_machine.name)
        self._started = time.monotonic()
        self._say("started", _show(execution.input_data))

    def terminated(self) -> None:
        """Report the end of the execution; moto calls this."""
        super().terminated()
        status = str(self.execution.status).lower()
        took = f"after {time.monotonic() - self._started:.1f} s"
        why = read_error(self.execution.cause or "") or self.execution.error or ""
        self._say(status, f"{took} {why}"[:SHOWN].rstrip(), failed=status != "succeeded")

    def _say(self, what: str, more: str, *, failed: bool = False) -> None:
        name = str(self.execution.name)[:SHOWN_NAME]
        self._journal.say(self._source, f"run {name} {what} {more}", failed=failed)


def _show(value: Any) -> str:  # noqa: ANN401  (any JSON)
    return json.dumps(value, separators=(",", ":"))
