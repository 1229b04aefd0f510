"""One process that runs one function, kept warm between invocations."""

import json
import multiprocessing
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.local.cloud.journal import Journal
from tidegate.local.cloud.processes import kill_group, signal_name

WORKER = Path(__file__).with_name("worker.py")
START_TIMEOUT = 60.0  # seconds for a handler's imports; a laptop under load is slower than Lambda


@dataclass(frozen=True)
class FunctionSettings:
    """A function's properties in the template, intrinsics resolved."""

    logical_id: str
    name: str
    arn: str
    handler: str
    code: Path
    memory: int
    timeout: float
    environment: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[Path, ...] = ()
    reserved: int | None = None
    role: str = ""


@dataclass(frozen=True)
class Answer:
    """The result of an invocation: a payload, and whether it describes an error."""

    payload: bytes
    failed: bool = False


class Sandbox:
    """A process for one function, with the function's environment, memory limit and timeout."""

    def __init__(
        self, settings: FunctionSettings, environment: Mapping[str, str], journal: Journal
    ) -> None:
        self._settings = settings
        self._pipe, theirs = multiprocessing.Pipe()
        # -P: a module in the worker's folder must not hide a module of the function.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-u", str(WORKER), str(theirs.fileno())],
            cwd=settings.code,
            env=dict(environment),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        theirs.close()
        self._started = False
        self._printing = threading.Thread(target=self._copy_output, args=(journal,), daemon=True)
        self._printing.start()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process can take another invocation."""
        return self._process.poll() is None

    def invoke(self, payload: bytes) -> Answer:
        """Give `payload` to the handler; report a dead process with Lambda's error messages."""
        request_id = str(uuid.uuid4())
        try:
            return self._wait_for_start() or self._exchange(request_id, payload)
        except (EOFError, OSError):
            return self._exited(request_id)

    def wait_until_started(self) -> None:
        """Return when the import of the handler's module has succeeded or failed."""
        try:
            self._pipe.poll(START_TIMEOUT)
        except (EOFError, OSError):
            return

    def end(self) -> None:
        """End the process and all its children; an invocation in progress fails."""
        kill_group(self._process)

    def close(self) -> None:
        """End the process and close its pipe; only the thread that holds the sandbox calls this."""
        self.end()
        self._pipe.close()
        self._printing.join(timeout=1)

    def _wait_for_start(self) -> Answer | None:
        if self._started:
            return None
        if not self._pipe.poll(START_TIMEOUT):
            kill_group(self._process)
            return _error("Sandbox.Timedout", f"Init timed out after {START_TIMEOUT:.2f} seconds")
        frame = self._receive()
        if "started" not in frame:
            self._process.wait()
            return _answer(frame, "")
        self._started = True
        return None

    def _exchange(self, request_id: str, payload: bytes) -> Answer:
        limit = self._settings.timeout
        request = {
            "id": request_id,
            "arn": self._settings.arn,
            "deadline": time.time() + limit,
            "trace": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
            "payload": payload.decode(),
        }
        self._pipe.send_bytes(json.dumps(request).encode())
        if not self._pipe.poll(limit):
            kill_group(self._process)
            message = f"RequestId: {request_id} Error: Task timed out after {limit:.2f} seconds"
            return _error("Sandbox.Timedout", message)
        frame = self._receive()
        if "out_of_memory" in frame:
            self._process.wait()
        return _answer(frame, request_id)

    def _receive(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self._pipe.recv_bytes())
        return frame

    def _exited(self, request_id: str) -> Answer:
        code = self._process.wait()
        reason = f"signal: {signal_name(-code)}" if code < 0 else f"exit status {code}"
        message = f"RequestId: {request_id} Error: Runtime exited with error: {reason}"
        return _error("Runtime.ExitError", message)

    def _copy_output(self, journal: Journal) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                journal.say_line(self._settings.logical_id, line.decode(errors="replace"))


def _answer(frame: dict[str, Any], request_id: str) -> Answer:
    if "payload" in frame:
        return Answer(frame["payload"].encode())
    if "out_of_memory" in frame:
        message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
        return _error("Runtime.OutOfMemory", message)
    error = frame.get("error") or frame["failed_to_start"]
    return Answer(json.dumps(error).encode(), failed=True)


def _error(kind: str, message: str) -> Answer:
    return Answer(json.dumps({"errorType": kind, "errorMessage": message}).encode(), failed=True)
