"""Lets `tidegate local env` and `down` talk to a running stack over its port, without pid files."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Protocol

from tidegate.errors import LocalStackError
from tidegate.local.cloud.identity import HOST

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from tidegate.local.cloud.journal import Journal

PREFIX = "/_tidegate/"
MAX_WAIT_SECONDS = 20.0  # seconds that a request for the log may wait
POLL_SECONDS = 0.05
Answer = dict[str, Any] | list[Any]


class Controlled(Protocol):
    """The part of a stack that the control service uses."""

    journal: "Journal"
    stop_requested: threading.Event

    def describe(self) -> dict[str, Any]:
        """Describe the stack: its process, its environment and whether it is ready."""


class Control:
    """Answers requests below /_tidegate/ and leaves all others to the next service."""

    def __init__(self, stack: Controlled) -> None:
        self._stack = stack
        self._actions: dict[tuple[str, str], Callable[[Request], Answer]] = {
            ("GET", "stack"): lambda _: self._stack.describe(),
            ("GET", "log"): self._read_log,
            ("POST", "stop"): self._stop,
        }

    def answer(self, request: "Request") -> "Response | None":
        """Return the response to a request for the stack itself, None for any other request."""
        from werkzeug.wrappers import Response

        if not request.path.startswith(PREFIX):
            return None
        action = self._actions.get((request.method, request.path.removeprefix(PREFIX)))
        if action is None:
            return Response("no such action", HTTPStatus.NOT_FOUND)
        return Response(json.dumps(action(request)), content_type="application/json")

    def _read_log(self, request: "Request") -> Answer:
        after = request.args.get("after", 0, type=int)
        wait = min(request.args.get("wait", 0.0, type=float), MAX_WAIT_SECONDS)
        return [entry.to_json() for entry in self._stack.journal.after(after, wait)]

    def _stop(self, _: "Request") -> Answer:
        self._stack.stop_requested.set()
        return {}


class RunningStack:
    """A stack that runs on this machine, seen from another process."""

    def __init__(self, port: int) -> None:
        self.port = port

    def describe(self, timeout: float = 30) -> dict[str, Any]:
        """Return the description that the stack gives of itself within `timeout` seconds.

        Raises:
            LocalStackError: no stack answers there.
        """
        description = self._ask("stack", timeout)
        if not isinstance(description, dict):
            raise self._is_another()
        return description

    def environment(self) -> dict[str, str]:
        """Return the environment variables that point AWS and warehouse clients at the stack."""
        described = self.describe()
        if "environment" not in described:
            raise self._is_another()
        if not described["ready"]:
            raise LocalStackError(
                f"the stack on port {self.port} is starting; ask again in a moment"
            )
        environment: dict[str, str] = described["environment"]
        return environment

    def log(self, after: int = 0, wait: float = 0) -> list[dict[str, Any]]:
        """Return the log entries after number `after`; wait up to `wait` seconds for the first."""
        entries: list[dict[str, Any]] = self._ask(f"log?after={after}&wait={wait}", 30 + wait)
        return entries

    def stop(self, timeout: float = 30) -> None:
        """Ask the stack to stop, and return when it has stopped.

        Raises:
            LocalStackError: no stack answers, or it does not stop within `timeout` seconds.
        """
        self._ask("stop", method="POST")
        deadline = time.monotonic() + timeout
        while self._is_there():
            if time.monotonic() > deadline:
                raise LocalStackError(
                    f"the stack on port {self.port} did not stop within {timeout:g} seconds"
                )
            time.sleep(POLL_SECONDS)

    def _is_there(self) -> bool:
        try:
            self._ask("stack")
        except LocalStackError:
            return False
        return True

    def _is_another(self) -> LocalStackError:
        return LocalStackError(f"port {self.port} belongs to another program, not to Tidegate")

    def _ask(self, what: str, timeout: float = 30, method: str = "GET") -> Any:  # noqa: ANN401
        url = f"http://{HOST}:{self.port}{PREFIX}{what}"
        request = urllib.request.Request(url, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310
                return json.load(response)
        except (urllib.error.HTTPError, HTTPException, ValueError) as error:
            raise self._is_another() from error
        except OSError as error:
            raise LocalStackError(
                f"no local stack answers on port {self.port}; start one with `tidegate local up`, "
                "or name its port with --port"
            ) from error
