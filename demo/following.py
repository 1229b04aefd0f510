"""Following runs of load_table: each step is shown as it happens."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from rich.console import Console

_SHOWN = {"PlanBatch", "PrepareChunk", "LoadBatch", "CommitBatch", "FailBatch"}
_LOOK_EVERY = 0.2  # seconds


@contextmanager
def follow_runs(console: Console) -> Iterator[None]:
    """Print the steps of runs that go on while the body does, and of those that end with it."""
    follower = _Follower(console)
    stop = threading.Event()
    thread = threading.Thread(target=follower.follow, args=[stop])
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class _Follower:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._runs = boto3.client("stepfunctions")
        self._machine = os.environ["TIDEGATE_STATE_MACHINE_ARN"]
        self._seen = {run: len(self._history(run)) for run in self._executions()}

    def follow(self, stop: threading.Event) -> None:
        """Look for new events until `stop` is set, and once more then."""
        while not stop.wait(_LOOK_EVERY):
            self._show_new()
        self._show_new()

    def _show_new(self) -> None:
        for run in reversed(self._executions()):
            history = self._history(run)
            for event in history[self._seen.get(run, 0) :]:
                self._show(event)
            self._seen[run] = len(history)

    def _executions(self) -> list[str]:
        listed = self._runs.list_executions(stateMachineArn=self._machine)["executions"]
        return [execution["executionArn"] for execution in listed]

    def _history(self, run: str) -> list[Any]:
        return self._runs.get_execution_history(executionArn=run, maxResults=1000)["events"]

    def _show(self, event: Any) -> None:  # noqa: ANN401  (an event of any of sixty kinds)
        ended = event.get("stateExitedEventDetails")
        if ended and ended["name"] in _SHOWN:
            facts = _facts(ended["name"], json.loads(ended.get("output") or "{}"))
            self._console.print(f"  [green]✓[/green] {ended['name']:<13}{facts}")


def _facts(state: str, output: dict[str, Any]) -> str:
    planned = output.get("planned", {})
    match state:
        case "PlanBatch" if planned.get("action") == "load":
            return f"a batch of {len(planned['chunks'])} chunk, plan {planned['plan']}"
        case "PlanBatch":
            return "nothing waits any more; the lease is given back"
        case "PrepareChunk":
            return f"{output['files']} files read, {output['rows']} keys to merge"
        case "LoadBatch":
            return "staged and merged in one transaction"
        case "CommitBatch":
            return "files marked applied, watermark moved"
        case _:
            return str(output.get("failed", ""))
