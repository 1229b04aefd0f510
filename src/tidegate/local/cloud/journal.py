"""The journal: all events of the local cloud in order, for the terminal and the log file."""

import json
import logging
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 20_000
# Powertools' logger adds these keys to each line. They say where; the reader wants to know what.
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
    """One event: when (`at`, seconds since the epoch), where (`source`), and what (`text`)."""

    number: int
    at: float
    source: str
    text: str
    failed: bool

    def to_json(self) -> dict[str, Any]:
        """Return the entry as a JSON object."""
        return asdict(self)


class Journal:
    """Holds the entries; any thread may write and follow it."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._written = 0
        self._changed = threading.Condition()

    def say(self, source: str, text: str, *, failed: bool = False) -> None:
        """Add an entry: `text` happened at `source`."""
        with self._changed:
            self._written += 1
            self._entries.append(Entry(self._written, time.time(), source, text, failed))
            self._changed.notify_all()

    def say_line(self, source: str, line: str) -> None:
        """Add a line that a function or a job printed, in readable form."""
        said = read_line(line)
        if said is not None:
            text, failed = said
            self.say(source, text, failed=failed)

    def after(self, number: int, wait: float = 0) -> list[Entry]:
        """Return the entries after `number`; if there are none, wait up to `wait` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._written > number, timeout=wait)
            return [entry for entry in self._entries if entry.number > number]


class JournalHandler(logging.Handler):
    """Writes errors that libraries log into the journal, where you can see them."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.ERROR)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Add one error; logging calls this."""
        self._journal.say(record.name, self.format(record), failed=True)


def read_line(line: str) -> tuple[str, bool] | None:
    """Return a printed line as text and whether it reports a failure; None to skip the line."""
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
    """Return the readable text of an error that Lambda or Glue wrote as JSON."""
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
