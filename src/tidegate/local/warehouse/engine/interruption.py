"""Stops a running statement: when its client asks, or when statement_timeout is over."""

import threading
import time
from collections.abc import Callable

from tidegate.local.warehouse.language.failures import CANCELLED, SqlError


class Interruption:
    """One session's running statement, as seen by whoever may stop it."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._guard = threading.Lock()
        self._running = 0
        self._deadline: float | None = None
        self._reason: SqlError | None = None

    def start(self, query: int, timeout_seconds: float) -> None:
        """From here on the statement can be stopped; a timeout of nought is none."""
        with self._guard:
            self._running = query
            self._reason = None
            self._deadline = time.monotonic() + timeout_seconds if timeout_seconds else None

    def stop(self) -> None:
        """The statement is over; what comes now cannot hit the next one."""
        with self._guard:
            self._running = 0
            self._deadline = None
            self._reason = None

    def cancel(self) -> None:
        """Stops the running statement, if there is one."""
        with self._guard:
            self._stop()

    def expire(self, now: float) -> None:
        """Stops the running statement if its time is over."""
        with self._guard:
            if self._deadline is not None and now >= self._deadline:
                self._deadline = None
                self._stop()

    def _stop(self) -> None:
        # Redshift words both alike: https://github.com/awslabs/amazon-redshift-utils/issues/174
        if self._running:
            message = f"Query ({self._running}) cancelled on user's request"
            self._reason = SqlError(CANCELLED, message)
            self._interrupt()

    @property
    def reason(self) -> SqlError | None:
        """Why the statement was stopped, if it was."""
        return self._reason

    def check(self) -> None:
        """Raises when the statement was stopped."""
        if self._reason is not None:
            raise self._reason
