"""The deployed functions: invocations that overlap run in separate processes."""

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tidegate
from tidegate.local.cloud.identity import ACCOUNT, credentials
from tidegate.local.cloud.journal import Journal, read_error
from tidegate.local.cloud.sandbox import Answer, FunctionSettings, Sandbox

# A laptop is smaller than AWS: further invocations first wait for a process, and are throttled
# only if none becomes free.
MAX_PROCESSES = max(4, 2 * (os.cpu_count() or 1))
WAITS_FOR_PROCESS = 60.0
MOST_IN_BACKGROUND = 32


class ThrottledError(Exception):
    """Every process that the function may have is busy."""


@dataclass(frozen=True)
class Process:
    """A process that runs a function or job, for tests that inspect or kill it."""

    name: str
    pid: int
    busy: bool


class Function:
    """One deployed function and its warm processes."""

    def __init__(
        self, settings: FunctionSettings, endpoint: str, folder: Path, journal: Journal
    ) -> None:
        self.settings = settings
        self._folder = folder
        self._journal = journal
        self._environment = build_environment(settings, endpoint, self._lay_out_layers())
        self._free = threading.BoundedSemaphore(settings.reserved or MAX_PROCESSES)
        self._lock = threading.Lock()
        self._idle: list[Sandbox] = []
        self._busy: list[Sandbox] = []
        self._stopped = False

    def invoke(self, payload: bytes) -> Answer:
        """Run the handler with `payload`.

        Raises:
            ThrottledError: no process was free in time.
        """
        try:
            with self._sandbox() as sandbox:
                answer = sandbox.invoke(payload)
        except ThrottledError:
            self._journal.say(self.settings.logical_id, "throttled", failed=True)
            raise
        if answer.failed:
            error = read_error(answer.payload.decode())
            self._journal.say(self.settings.logical_id, error, failed=True)
        return answer

    def warm(self) -> None:
        """Start the first process, so that the first invocation finds it ready."""
        with self._sandbox() as sandbox:
            sandbox.wait_until_started()

    def processes(self) -> list[Process]:
        """The processes that are running now."""
        with self._lock:
            idle = [Process(self.settings.logical_id, one.pid, False) for one in self._idle]
            return idle + [Process(self.settings.logical_id, one.pid, True) for one in self._busy]

    def stop(self) -> None:
        """End all processes; invocations in progress fail."""
        with self._lock:
            self._stopped = True
            idle, self._idle, busy = self._idle, [], list(self._busy)
        for sandbox in busy:
            sandbox.end()
        for sandbox in idle:
            sandbox.close()

    @contextmanager
    def _sandbox(self) -> Iterator[Sandbox]:
        patience = 0 if self.settings.reserved else WAITS_FOR_PROCESS
        if not self._free.acquire(timeout=patience):
            raise ThrottledError
        try:
            sandbox = self._take()
            try:
                yield sandbox
            finally:
                self._give_back(sandbox)
        finally:
            self._free.release()

    def _take(self) -> Sandbox:
        with self._lock:
            while self._idle and not self._idle[-1].is_alive:
                self._idle.pop().close()
            if self._stopped:
                raise ThrottledError
            sandbox = self._idle.pop() if self._idle else self._start()
            self._busy.append(sandbox)
            return sandbox

    def _give_back(self, sandbox: Sandbox) -> None:
        with self._lock:
            self._busy.remove(sandbox)
            if sandbox.is_alive and not self._stopped:
                self._idle.append(sandbox)
                return
        sandbox.close()

    def _start(self) -> Sandbox:
        scratch = tempfile.mkdtemp(dir=self._folder)
        return Sandbox(self.settings, self._environment | {"TMPDIR": scratch}, self._journal)

    def _lay_out_layers(self) -> Path:
        opt = self._folder / "opt"
        opt.mkdir(parents=True)
        for layer in self.settings.layers:
            shutil.copytree(layer, opt, dirs_exist_ok=True)
        return opt


class Functions:
    """The functions of a deployment, by name or ARN."""

    def __init__(self, functions: list[Function]) -> None:
        self.all = functions
        self._by_name = {function.settings.name: function for function in functions}
        self._background = ThreadPoolExecutor(MOST_IN_BACKGROUND, "invoke")

    def find(self, name: str) -> Function | None:
        """Return the function with this name, ARN or partial ARN; ignore any qualifier."""
        parts = name.split(":")
        plain = parts[parts.index("function") + 1] if "function" in parts else parts[0]
        return self._by_name.get(plain)

    def invoke_later(self, function: Function, payload: bytes) -> None:
        """Run the handler without waiting for its result."""
        self._background.submit(function.invoke, payload)

    def warm(self) -> None:
        """Start one process for each function, without waiting for them."""
        for function in self.all:
            self._background.submit(function.warm)

    def stop(self) -> None:
        """End all processes and threads."""
        self._background.shutdown(wait=False, cancel_futures=True)
        for function in self.all:
            function.stop()


def build_environment(settings: FunctionSettings, endpoint: str, opt: Path) -> dict[str, str]:
    """Return a function's environment: the template's variables and those that Lambda sets.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    own = {name: _move_opt(value, opt) for name, value in settings.environment.items()}
    group = f"/aws/lambda/{settings.name}"
    return own | {
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": settings.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": group,
        "AWS_LAMBDA_LOG_STREAM_NAME": f"local/{ACCOUNT}",
        "LAMBDA_TASK_ROOT": str(settings.code),
        "LAMBDA_RUNTIME_DIR": str(Path(__file__).parent),
        "LANG": "C.UTF-8",
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(Path(tidegate.__file__).parents[1]),
        "TZ": ":UTC",
        "_HANDLER": settings.handler,
        **credentials(endpoint, settings.role),
    }


def _move_opt(value: str, opt: Path) -> str:
    # On Lambda each function has its own /opt; a laptop has no such folder.
    if value == "/opt" or value.startswith("/opt/"):
        return str(opt) + value.removeprefix("/opt")
    return value
