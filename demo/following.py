"""Follows runs of load_table, and prints each step when it ends."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import boto3
from rich.console import Console
from rich.markup import escape

from tidegate.cli.counting import counted

_SHOWN = {"PlanBatch", "PrepareChunk", "LoadBatch", "CommitBatch", "FailBatch"}
_LOOK_EVERY = 0.1  # seconds
Event = dict[str, Any]


@contextmanager
def follow_runs(console: Console) -> Iterator[None]:
    """Print the steps of all runs while the body runs."""
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
        self._entered: dict[str, datetime] = {}

    def follow(self, stop: threading.Event) -> None:
        """Look for new events until `stop` is set, then once more."""
        with self._console.status("S3 > EventBridge > SQS > RegisterFiles") as self._now:
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

    def _history(self, run: str) -> list[Event]:
        listed = self._runs.get_execution_history(executionArn=run, maxResults=1000)["events"]
        return [dict(event) for event in listed]

    def _show(self, event: Event) -> None:
        if event["type"] == "ExecutionStarted":
            self._say("RegisterFiles", "files recorded in the ledger; load_table starts")
        elif failed := event.get("executionFailedEventDetails"):
            why = f"{failed.get('error')}: {failed.get('cause')}"
            self._say("load_table", f"the run failed: {why}", bad=True)
        elif entered := event.get("stateEnteredEventDetails"):
            self._entered[entered["name"]] = event["timestamp"]
            self._now.update(entered["name"])
        elif (ended := event.get("stateExitedEventDetails")) and ended["name"] in _SHOWN:
            self._show_end(ended["name"], ended.get("output") or "{}", event["timestamp"])

    def _show_end(self, state: str, output: str, at: datetime) -> None:
        seconds = (at - self._entered.get(state, at)).total_seconds()
        took = f"  [dim]{seconds:.2f} s[/]" if state != "FailBatch" else ""
        self._say(state, _facts(state, json.loads(output)), took, bad=state == "FailBatch")

    def _say(self, who: str, what: str, took: str = "", *, bad: bool = False) -> None:
        mark = "[red]✗" if bad else "[green]✓"
        self._console.print(f"  {mark}[/] [bold]{who:<14}[/] {escape(what)}{took}", soft_wrap=True)


def _facts(state: str, output: dict[str, Any]) -> str:
    planned = output.get("planned", {})
    match state:
        case "PlanBatch" if planned.get("action") == "load":
            batch = planned["plan"].split("/")[2]
            return f"batch {batch}, {counted(len(planned['chunks']), 'chunk')}"
        case "PlanBatch" if planned.get("action") == "leave":
            return "another run holds the lease and does the work"
        case "PlanBatch":
            return "no file is pending any more; the lease is released"
        case "PrepareChunk":
            files, keys = counted(output["files"], "file"), counted(output["rows"], "key")
            return f"DuckDB read {files}: {keys} to merge"
        case "LoadBatch":
            return "Glue staged the batch and merged it in one transaction"
        case "CommitBatch":
            return "files marked applied, watermark moved"
        case _:
            failed = output.get("failed", {})
            return f"{failed.get('error')}: {failed.get('message')} ({failed.get('verdict')})"
