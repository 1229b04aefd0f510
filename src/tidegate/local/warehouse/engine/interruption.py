"""Cancels a running statement when its client asks or after statement_timeout."""

import threading
import time
from collections.abc import Callable

from tidegate.local.warehouse.language.failures import CANCELLED, SqlError


class Interruption:
    """Lets other threads cancel one session's running statement."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._guard = threading.Lock()
        self._running = 0
        self._deadline: float | None = None
        self._reason: SqlError | None = None

    def start(self, query: int, timeout_seconds: float) -> None:
        """Allow cancelling the statement from now on; a timeout of 0 means no timeout."""
        with self._guard:
            self._running = query
            self._reason = None
            self._deadline = time.monotonic() + timeout_seconds if timeout_seconds else None

    def stop(self) -> None:
        """Mark the statement as ended, so that a late request cannot cancel the next one."""
        with self._guard:
            self._running = 0
            self._deadline = None
            self._reason = None

    def cancel(self) -> None:
        """Cancels the running statement, if there is one."""
        with self._guard:
            self._stop()

    def expire(self, now: float) -> None:
        """Cancels the running statement if its timeout has passed."""
        with self._guard:
            if self._deadline is not None and now >= self._deadline:
                self._deadline = None
                self._stop()

    def _stop(self) -> None:
        # Redshift uses one message for both cases:
        # https://github.com/awslabs/amazon-redshift-utils/issues/174
        if self._running:
            message = f"Query ({self._running}) cancelled on user's request"
            self._reason = SqlError(CANCELLED, message)
            self._interrupt()

    @property
    def reason(self) -> SqlError | None:
        """Returns the error if the statement was cancelled, else None."""
        return self._reason

    def check(self) -> None:
        """Raises the error if the statement was cancelled."""
        if self._reason is not None:
            raise self._reason
