"""DuckDB, kept from chunk to chunk: to start it takes longer than to prepare a small file."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import duckdb

# What DuckDB needs for each of its threads, in bytes, to sort and to write Parquet.
_MEMORY_OF_A_THREAD = 128 << 20


class Database:
    """One DuckDB for chunk after chunk; `memory` is the most it may use, in bytes."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._kept: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def connect(self) -> Iterator["duckdb.DuckDBPyConnection"]:
        """A connection that alone uses DuckDB; its temporary tables are gone after it.

        What fails may be the fault of DuckDB, so the next connection is to another one.
        """
        database, self._kept = self._kept or self._start(), None
        try:
            with database.cursor() as connection:
                # DuckDB draws it on the standard output, terminal or not; that is a log here.
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
                # DuckDB makes it when memory ends, and removes it when it ends itself.
                "temp_directory": str(Path(tempfile.gettempdir(), f"tidegate-spill-{uuid4()}")),
                "threads": max(1, min(os.cpu_count() or 1, self._memory // _MEMORY_OF_A_THREAD)),
            }
        )
        database.execute("set global TimeZone = 'UTC'")
        return database
