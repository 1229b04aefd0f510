"""EventBridge Scheduler: functions invoked at a rate or at times of day.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tidegate.errors import LocalStackError
from tidegate.local.cloud.cron import Cron

RATE = re.compile(r"rate\((?P<count>\d+) (?P<unit>minute|hour|day)s?\)")
CRON = re.compile(r"cron\((?P<fields>.+)\)")


@dataclass(frozen=True)
class ScheduleSettings:
    """A schedule's properties in the template, intrinsics resolved."""

    logical_id: str
    expression: str
    function: str
    payload: str
    role: str = ""


class Schedule:
    """Invokes one target on schedule until it is stopped."""

    def __init__(self, settings: ScheduleSettings, fire: Callable[[], None]) -> None:
        self._pause = read_expression(settings.expression)
        self._fires_at_once = settings.expression.startswith("rate")
        self._fire = fire
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_firing, daemon=True)

    def start(self) -> None:
        """Start to fire; a rate without a start date fires at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop firing."""
        self._stopping.set()

    def _keep_firing(self) -> None:
        due = datetime.now(UTC)
        if self._fires_at_once:
            self._fire()
        while True:
            due += self._pause(due)
            left = (due - datetime.now(UTC)).total_seconds()
            if self._stopping.wait(max(0.0, left)):
                return
            self._fire()


def read_expression(text: str) -> Callable[[datetime], timedelta]:
    """Return a function from a moment to the wait until the expression fires next.

    Raises:
        LocalStackError: `text` is neither a rate nor a cron expression.
    """
    if rate := RATE.fullmatch(text):
        period = timedelta(**{f"{rate['unit']}s": int(rate["count"])})
        return lambda _: period
    if cron := CRON.fullmatch(text):
        times = Cron(cron["fields"])
        return lambda moment: times.after(moment) - moment
    raise LocalStackError(
        f"the schedule {text!r} is neither rate(…) nor cron(…); the local stack supports only "
        "these two"
    )
