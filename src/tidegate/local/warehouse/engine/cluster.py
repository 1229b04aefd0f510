"""The cluster: the database, locks and history that all sessions of one warehouse share."""

import itertools
import tempfile
from pathlib import Path

import duckdb

from tidegate.local.warehouse.catalog.catalog import CommittedCatalog
from tidegate.local.warehouse.catalog.history import History
from tidegate.local.warehouse.catalog.macros import macro_statements
from tidegate.local.warehouse.catalog.relations import DATABASE, DEFAULT_SCHEMA, SYSTEM_SCHEMA
from tidegate.local.warehouse.catalog.views import view_statements
from tidegate.local.warehouse.engine.locks import Locks
from tidegate.local.warehouse.files.objects import S3Client
from tidegate.local.warehouse.language.lexer import literal, quote

MEMORY_LIMIT = "2GB"
FIRST_PID = 1073741824


class Cluster:
    """One database in memory, its locks, its history and its S3 client."""

    def __init__(self, database: str, s3: S3Client) -> None:
        self.database = database
        self.s3 = s3
        self.locks = Locks()
        self.history = History()
        self._folder = tempfile.TemporaryDirectory(prefix="tidegate-warehouse-")
        self.folder = Path(self._folder.name)
        self._pids = itertools.count(FIRST_PID)
        self.committed = CommittedCatalog()
        self._connection = self._create()

    def _create(self) -> "duckdb.DuckDBPyConnection":
        connection = duckdb.connect(":memory:", config=self._config())
        connection.execute(f"attach ':memory:' as {quote(DATABASE)}")
        self._confine(connection)
        for schema in (DEFAULT_SCHEMA, SYSTEM_SCHEMA):
            connection.execute(f"create schema {quote(DATABASE)}.{quote(schema)}")
        connection.execute(_search_path())
        for statement in itertools.chain(macro_statements(), view_statements()):
            connection.execute(statement)
        return connection

    def _config(self) -> dict[str, str | bool | int | float | list[str]]:
        return {
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(self.folder / "spill"),
            "python_enable_replacements": False,
            "preserve_insertion_order": False,
        }

    def _confine(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Allow DuckDB to access this folder only, so that a table's name never opens a file."""
        connection.execute(f"set allowed_directories = [{literal(f'{self.folder}/')}]")
        connection.execute("set enable_external_access = false")

    def connect(self) -> "duckdb.DuckDBPyConnection":
        """Opens a connection for one session."""
        cursor = self._connection.cursor()
        cursor.execute(_search_path())
        cursor.execute("set TimeZone = 'UTC'")
        cursor.execute("set integer_division = true")
        # DuckDB would print its progress bar even where stdout is not a terminal.
        cursor.execute("set enable_progress_bar = false")
        return cursor

    def pid(self) -> int:
        """Returns a process id for a new session."""
        return next(self._pids)

    def close(self) -> None:
        """Closes the database and loses all its data."""
        self._connection.close()
        self._folder.cleanup()


def _search_path() -> str:
    database = quote(DATABASE)
    return (
        f"set search_path = '{database}.{quote(DEFAULT_SCHEMA)},{database}.{quote(SYSTEM_SCHEMA)}'"
    )
