"""Keeps DuckDB from chunk to chunk, because a start takes longer than preparing a small file."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import duckdb

# Bytes that DuckDB needs for each of its threads to sort and to write Parquet.
_MEMORY_OF_A_THREAD = 128 << 20


class Database:
    """One DuckDB for many chunks; `memory` is the most it may use, in bytes."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._kept: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def connect(self) -> Iterator["duckdb.DuckDBPyConnection"]:
        """Yield the only connection to DuckDB; its temporary tables are gone afterwards.

        After a failure the next call starts a new DuckDB, because this one may be broken.
        """
        database, self._kept = self._kept or self._start(), None
        try:
            with database.cursor() as connection:
                # DuckDB draws the bar even without a terminal; here the standard output is a log.
                connection.execute("set enable_progress_bar = false")
                yield connection
        except BaseException:
            database.close()
            raise
        self._kept = database

    def _start(self) -> "duckdb.DuckDBPyConnection":
        database = duckdb.connect(
            config={
                "memory_limit": f"{self._memory}B",
                # DuckDB creates this folder when memory runs out, and removes it when it closes.
                "temp_directory": str(Path(tempfile.gettempdir(), f"tidegate-spill-{uuid4()}")),
                "threads": max(1, min(os.cpu_count() or 1, self._memory // _MEMORY_OF_A_THREAD)),
            }
        )
        database.execute("set global TimeZone = 'UTC'")
        return database
