"""The floor: raw DuckDB at the same job."""

import time
from pathlib import Path

import duckdb

from bench.job import Row

_SCRIPT = (Path(__file__).parent / "floor.sql").read_text(encoding="utf-8")
_TABLE = """
    seq varchar, id bigint, name varchar, email varchar, amount decimal(12,2), quantity integer,
    rate double, active boolean, born date, updated_at timestamp, note varchar
"""


class Floor:
    """A DuckDB in memory that holds the table."""

    def __init__(self, snapshot: Path) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("set enable_progress_bar = false")
        self._connection.execute(f"create table base ({_TABLE})")
        self._connection.execute(
            f"copy base from '{snapshot}' (header false, nullstr '\\N', quote '\"', escape '\"')"
        )

    def reset(self) -> None:
        """Restore the table to its state before the batch."""
        self._connection.execute("create or replace table accounts as from base")
        self._connection.execute("create or replace table tombstones (id bigint, seq varchar)")

    def load(self, changes: Path) -> float:
        """Apply a file of changes; return the seconds it took."""
        started = time.perf_counter()
        self._connection.execute(_SCRIPT.replace("{path}", str(changes)))
        return time.perf_counter() - started

    def rows(self) -> list[Row]:
        """All rows, ordered by key."""
        query = "select * exclude (seq) from accounts order by id"
        return self._connection.execute(query).fetchall()
