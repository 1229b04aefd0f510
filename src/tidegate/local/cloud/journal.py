"""What happens in the local cloud, in order, for whoever wants to read along."""

import json
import logging
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 20_000
# What Powertools' logger adds to each line: it says where, the reader wants to know what.
# https://docs.powertools.aws.dev/lambda/python/latest/core/logger/#standard-structured-keys
_STANDARD = {
    "cold_start",
    "exception",
    "exception_name",
    "function_arn",
    "function_memory_size",
    "function_name",
    "function_request_id",
    "level",
    "location",
    "message",
    "sampling_rate",
    "service",
    "stack_trace",
    "timestamp",
    "xray_trace_id",
}


@dataclass(frozen=True)
class Entry:
    """One thing that happened: when (seconds since the epoch), where, and what."""

    number: int
    at: float
    source: str
    text: str
    failed: bool

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


class Journal:
    """The entries so far; safe to write and follow from any thread."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._written = 0
        self._changed = threading.Condition()

    def say(self, source: str, text: str, *, failed: bool = False) -> None:
        """Write that `text` happened at `source`."""
        with self._changed:
            self._written += 1
            self._entries.append(Entry(self._written, time.time(), source, text, failed))
            self._changed.notify_all()

    def say_line(self, source: str, line: str) -> None:
        """Write a line that a function or a job printed, in a form that can be read."""
        said = read_line(line)
        if said is not None:
            text, failed = said
            self.say(source, text, failed=failed)

    def after(self, number: int, wait: float = 0) -> list[Entry]:
        """The entries after `number`; with none, waits up to `wait` seconds for the next."""
        with self._changed:
            self._changed.wait_for(lambda: self._written > number, timeout=wait)
            return [entry for entry in self._entries if entry.number > number]


class JournalHandler(logging.Handler):
    """Takes the errors that libraries log, which nobody would see otherwise."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.ERROR)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging with each error."""
        self._journal.say(record.name, self.format(record), failed=True)


def read_line(line: str) -> tuple[str, bool] | None:
    """A printed line as text, and whether it tells of a failure; None if it tells nothing."""
    line = line.rstrip()
    try:
        logged = json.loads(line)
    except ValueError:
        return (line, False) if line else None
    if not isinstance(logged, dict) or "message" not in logged:
        is_metric = isinstance(logged, dict) and "_aws" in logged
        return None if is_metric else (line, False)
    extras = " ".join(f"{key}={_show(value)}" for key, value in logged.items() if _tells(key))
    text = f"{_show(logged['message'])} {extras}".rstrip()
    if "exception" in logged:
        text += f"\n{logged['exception']}"
    return text, logged.get("level") in {"ERROR", "CRITICAL"}


def read_error(text: str) -> str:
    """What an error of Lambda or Glue, written as JSON, says to a reader."""
    try:
        error = json.loads(text)
    except ValueError:
        return text
    if not isinstance(error, dict):
        return text
    if "ErrorMessage" in error:
        return str(error["ErrorMessage"])
    said = f"{error.get('errorType', 'Error')}: {error.get('errorMessage', text)}"
    return "\n".join([said, *(line.rstrip() for line in error.get("stackTrace", []))])


def _tells(key: str) -> bool:
    return key not in _STANDARD


def _show(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
