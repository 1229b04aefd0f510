"""Writes the journal to a log file, one line an entry."""

import threading
import time
from pathlib import Path

from tidegate.local.cloud.journal import Entry, Journal

WAIT_SECONDS = 60.0


class LogFile:
    """Appends each entry of the journal to a file until it is stopped."""

    def __init__(self, path: Path, journal: Journal) -> None:
        self.path = path
        self._journal = journal
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        """Start writing."""
        self._thread.start()

    def stop(self) -> None:
        """Stop writing."""
        self._stopping.set()
        self._journal.say("stack", "stops")  # the new entry wakes the thread
        if self._thread.is_alive():
            self._thread.join()

    def _follow(self) -> None:
        seen = 0
        with self.path.open("a", encoding="utf-8") as file:
            while not self._stopping.is_set():
                for entry in self._journal.after(seen, WAIT_SECONDS):
                    seen = entry.number
                    file.write(f"{time_of(entry)} {entry.source:<16} {entry.text}\n")
                file.flush()


def time_of(entry: Entry) -> str:
    """Return the entry's time of day in the reader's time zone."""
    return time.strftime("%H:%M:%S", time.localtime(entry.at))
