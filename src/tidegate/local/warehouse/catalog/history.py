"""Records queries, load errors and sessions for the system views that show them.

https://docs.aws.amazon.com/redshift/latest/dg/SYS_QUERY_HISTORY.html
https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
"""

import datetime as dt
import itertools
import json
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

KEPT_ENTRIES = 2000
KEPT_TEXT = 4000
_DUCKDB_TYPES = {int: "BIGINT", str: "VARCHAR", bool: "BOOLEAN", dt.datetime: "TIMESTAMP"}


def now() -> dt.datetime:
    """Returns the time in UTC without a zone, as Redshift's system views show it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


@dataclass
class QueryEntry:
    """One statement that is running or has ended."""

    query_id: int
    user_name: str
    query_label: str
    database_name: str
    session_id: int
    query_type: str
    query_text: str
    start_time: dt.datetime
    transaction_id: int = 0
    status: str = "running"
    result_cache_hit: bool = False
    end_time: dt.datetime | None = None
    elapsed_time: int = 0
    returned_rows: int = 0
    error_message: str = ""


@dataclass
class LoadError:
    """One row that COPY could not load."""

    query_id: int
    table_id: int
    table_name: str
    file_name: str
    line_number: int
    column_name: str
    column_type: str
    column_length: str
    error_code: int
    error_message: str
    start_time: dt.datetime
    session_id: int


@dataclass
class SessionEntry:
    """One connection."""

    process: int
    user_name: str
    db_name: str
    starttime: dt.datetime
    application_name: str = ""


class History:
    """The newest entries of each kind; all sessions share one history."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._numbers = itertools.count(1)
        self._queries: deque[QueryEntry] = deque(maxlen=KEPT_ENTRIES)
        self._load_errors: deque[LoadError] = deque(maxlen=KEPT_ENTRIES)
        self._sessions: dict[int, SessionEntry] = {}

    def number(self) -> int:
        """Returns a number that no other query, transaction or COPY has."""
        return next(self._numbers)

    def begin(self, entry: QueryEntry) -> None:
        """Records that a statement has started."""
        entry.query_text = entry.query_text[:KEPT_TEXT]
        with self._guard:
            self._queries.append(entry)

    def end(self, entry: QueryEntry, *, error: str = "") -> None:
        """Records that a statement has ended, with its error if it failed."""
        entry.end_time = now()
        entry.elapsed_time = int((entry.end_time - entry.start_time).total_seconds() * 1_000_000)
        entry.status = "failed" if error else "success"
        entry.error_message = error

    def record_load_error(self, error: LoadError) -> None:
        """Records a row that COPY could not load."""
        with self._guard:
            self._load_errors.append(error)

    def open_session(self, entry: SessionEntry) -> None:
        """Records that a client has connected."""
        with self._guard:
            self._sessions[entry.process] = entry

    def close_session(self, process: int) -> None:
        """Records that a client has disconnected."""
        with self._guard:
            self._sessions.pop(process, None)

    def snapshot(self, kind: type[Any]) -> str:
        """Returns all entries of a kind as JSON."""
        with self._guard:
            kept: Mapping[type[Any], Iterable[Any]] = {
                QueryEntry: list(self._queries),
                LoadError: list(self._load_errors),
                SessionEntry: list(self._sessions.values()),
            }
        return json.dumps([asdict(entry) for entry in kept[kind]], default=str)


LOGS: dict[str, type[Any]] = {
    "log_queries": QueryEntry,
    "log_load_errors": LoadError,
    "log_sessions": SessionEntry,
}


def log_source(variable: str) -> str:
    """Returns a query over the entries that a session variable holds as JSON."""
    columns = {field.name: _duckdb_type(field.type) for field in fields(LOGS[variable])}
    structure = json.dumps([columns])
    rows = f"from_json(coalesce(getvariable('{variable}'), '[]'), '{structure}')"
    return f"select unnest({rows}, recursive := true)"


def _duckdb_type(annotation: object) -> str:
    plain = annotation if isinstance(annotation, type) else dt.datetime
    return _DUCKDB_TYPES[plain]
