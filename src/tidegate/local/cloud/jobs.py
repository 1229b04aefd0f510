"""The deployed Glue Python Shell jobs: each run is a process with the deployed script."""

import json
import os
import subprocess
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.local.cloud.identity import credentials
from tidegate.local.cloud.journal import Journal
from tidegate.local.cloud.processes import kill_group, signal_name

RUNNER = Path(__file__).with_name("glue_runner.py")
MINUTE = 60.0
RUNNING = {"STARTING", "RUNNING", "STOPPING"}
REMEMBERED_LINES = 50


@dataclass(frozen=True)
class JobSettings:
    """A job's properties in the template, intrinsics resolved; `timeout` is in minutes."""

    logical_id: str
    name: str
    script: Path
    timeout: float
    most_runs: int
    arguments: Mapping[str, str] = field(default_factory=dict)
    role: str = ""


class TooManyRunsError(Exception):
    """The job already has as many concurrent runs as it may have."""


class JobRun:
    """One run of a job: its process and its description as Glue gives it."""

    def __init__(
        self,
        settings: JobSettings,
        python: Path,
        environment: Mapping[str, str],
        arguments: Mapping[str, str],
        timeout: float,
        journal: Journal,
    ) -> None:
        self.id = f"jr_{uuid.uuid4().hex}"
        self.state = "RUNNING"
        self._settings = settings
        self._arguments = dict(arguments)
        self._timeout = timeout
        self._journal = journal
        self._started = time.time()
        self._ended: float | None = None
        self._error = ""
        self._ended_by = ""
        self._last_lines: deque[str] = deque(maxlen=REMEMBERED_LINES)
        given = {**settings.arguments, **arguments}
        self._process = subprocess.Popen(
            [str(python), "-u", str(RUNNER), str(settings.script), *command_line(given)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        journal.say(settings.logical_id, f"run {self.id[:11]} started {json.dumps(arguments)}")
        threading.Thread(target=self._see_through, daemon=True).start()

    @property
    def pid(self) -> int:
        """The id of the process, which is also the id of its group."""
        return self._process.pid

    @property
    def is_under_way(self) -> bool:
        """Whether its process has not ended yet."""
        return self.state in RUNNING

    def stop(self) -> None:
        """End the run, as BatchStopJobRun does."""
        self._end("STOPPED")

    def describe(self) -> dict[str, Any]:
        """Return the run as GetJobRun shows it."""
        shown: dict[str, Any] = {
            "Id": self.id,
            "Attempt": 0,
            "JobName": self._settings.name,
            "StartedOn": self._started,
            "LastModifiedOn": self._ended or self._started,
            "JobRunState": self.state,
            "Arguments": self._arguments,
            "PredecessorRuns": [],
            "ExecutionTime": int((self._ended or time.time()) - self._started),
            "Timeout": int(self._timeout),
            "MaxCapacity": 0.0625,
            "LogGroupName": "/aws-glue/python-jobs",
        }
        if self._ended is not None:
            shown["CompletedOn"] = self._ended
        if self._error:
            shown["ErrorMessage"] = self._error
        return shown

    def _see_through(self) -> None:
        timer = threading.Timer(self._timeout * MINUTE, self._end, ("TIMEOUT",))
        timer.daemon = True
        timer.start()
        with self._process:
            assert self._process.stdout is not None
            for line in self._process.stdout:
                self._last_lines.append(line.decode(errors="replace").rstrip())
                self._journal.say_line(self._settings.logical_id, self._last_lines[-1])
            code = self._process.wait()
        timer.cancel()
        self._ended = time.time()
        self._error = self._describe_end(code)
        self.state = self._ended_by or ("FAILED" if code else "SUCCEEDED")
        text = f"run {self.id[:11]} {self.state.lower()} after {self._ended - self._started:.1f} s"
        failed = self.state in {"FAILED", "TIMEOUT"}
        self._journal.say(
            self._settings.logical_id, f"{text} {self._error}".rstrip(), failed=failed
        )

    def _describe_end(self, code: int) -> str:
        if self._ended_by == "TIMEOUT":
            return f"Job run timed out after {self._timeout:g} minutes"
        if code == 0 or self._ended_by:
            return ""
        if code < 0:
            return f"Command failed with exit code {code} ({signal_name(-code)})"
        lines = [line for line in self._last_lines if line and not line.startswith(" ")]
        return lines[-1] if lines else f"Command failed with exit code {code}"

    def _end(self, state: str) -> None:
        if self.is_under_way:
            self._ended_by = state
            kill_group(self._process)


class Job:
    """One deployed job and its runs; `environment` is added to AWS's variables in each run."""

    def __init__(
        self,
        settings: JobSettings,
        python: Path,
        endpoint: str,
        journal: Journal,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings
        self.runs: dict[str, JobRun] = {}
        self._python = python
        self._environment = {**_environment(endpoint, settings.role), **(environment or {})}
        self._journal = journal
        self._lock = threading.Lock()

    def start(self, arguments: Mapping[str, str], timeout: float | None = None) -> JobRun:
        """Start a run; `timeout` is in minutes.

        Raises:
            TooManyRunsError: the job already has as many concurrent runs as it may have.
        """
        with self._lock:
            running = [run for run in self.runs.values() if run.is_under_way]
            if len(running) >= self.settings.most_runs:
                raise TooManyRunsError
            limit = timeout or self.settings.timeout
            run = JobRun(
                self.settings, self._python, self._environment, arguments, limit, self._journal
            )
            self.runs[run.id] = run
            return run

    def stop(self) -> None:
        """End all runs."""
        for run in list(self.runs.values()):
            run.stop()


def command_line(arguments: Mapping[str, str]) -> list[str]:
    """Return the arguments that the script gets; Glue passes on only those with dashes."""
    return [
        word for name, value in arguments.items() if name.startswith("--") for word in (name, value)
    ]


def _environment(endpoint: str, role: str) -> dict[str, str]:
    passed = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return {
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        # Glue's own boto3 is older and does not warn about Python 3.9.
        "PYTHONWARNINGS": "ignore:Boto3 will no longer support",
        **passed,
        **credentials(endpoint, role),
    }
