"""AWS's cron expressions: minute, hour, day of month, month, day of week, year; in UTC.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
"""

import re
from datetime import datetime, timedelta

from tidegate.errors import LocalStackError

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
PART = re.compile(r"(?P<first>\*|\d+)(?:-(?P<last>\d+))?(?:/(?P<step>\d+))?")
LOOKS_AHEAD = timedelta(days=366 * 8)


class Cron:
    """The moments at which a cron expression fires."""

    def __init__(self, fields: str) -> None:
        parts = fields.split()
        if len(parts) != len(LIMITS):
            raise LocalStackError(
                f"cron({fields}) has {len(parts)} fields instead of {len(LIMITS)}"
            )
        values = [_read(text, *limits, fields) for text, limits in zip(parts, LIMITS, strict=True)]
        self._fields = fields
        self._minutes, self._hours, self._days, self._months, self._weekdays, self._years = values

    def after(self, moment: datetime) -> datetime:
        """Return the first moment after `moment` at which the expression fires.

        Raises:
            LocalStackError: the expression never fires again.
        """
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        while day - moment < LOOKS_AHEAD:
            if self._has_day(day):
                for hour in sorted(self._hours):
                    for minute in sorted(self._minutes):
                        found = day.replace(hour=hour, minute=minute)
                        if found > moment:
                            return found
            day += timedelta(days=1)
        raise LocalStackError(f"cron({self._fields}) never fires after {moment:%Y-%m-%d}")

    def _has_day(self, day: datetime) -> bool:
        weekday = day.isoweekday() % 7 + 1  # on AWS, Sunday is 1
        return (
            day.year in self._years
            and day.month in self._months
            and day.day in self._days
            and weekday in self._weekdays
        )


def _read(text: str, low: int, high: int, whole: str) -> set[int]:
    named = "*" if text == "?" else text.upper()
    for names in (MONTHS, DAYS):
        for number, name in enumerate(names, start=1):
            named = named.replace(name, str(number))
    values: set[int] = set()
    for one in named.split(","):
        part = PART.fullmatch(one)
        if part is None:
            raise LocalStackError(f"the local stack does not know {text!r} in cron({whole})")
        values.update(_expand(part, low, high))
    return values


def _expand(part: re.Match[str], low: int, high: int) -> range:
    step = int(part["step"] or 1)
    if part["first"] == "*":
        return range(low, high + 1, step)
    first = int(part["first"])
    last = int(part["last"] or (high if part["step"] else first))
    return range(first, last + 1, step)
