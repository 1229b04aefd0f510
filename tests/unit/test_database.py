"""DuckDB as chunks use it, one after another."""

import duckdb
import pytest

from tests.unit.samples import MEMORY
from tidegate.preparing.database import Database

LARGE = "create temporary table large as from range(10_000_000)"


@pytest.fixture
def database():
    return Database(MEMORY)


def test_database_is_kept_and_temporary_tables_are_not(database):
    with database.connect() as connection:
        connection.execute("create table kept as select 1 as n")
        connection.execute("create temporary table gone as select 1 as n")
    with database.connect() as connection:
        assert connection.execute("show tables").fetchall() == [("kept",)]


def run_out_of_memory(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("create table kept as select 1 as n")
        connection.execute("set memory_limit = '1MB'")
        connection.execute("set temp_directory = ''")
        connection.execute(LARGE)


def test_after_a_failure_comes_another_database(database):
    with pytest.raises(duckdb.OutOfMemoryException):
        run_out_of_memory(database)
    with database.connect() as connection:
        assert connection.execute("show tables").fetchall() == []
        connection.execute(LARGE)


def test_connections_at_a_time_share_no_database(database):
    with database.connect() as one, database.connect() as other:
        one.execute("create table mine as select 1 as n")
        assert other.execute("show tables").fetchall() == []


def test_spilled_rows_leave_no_file(tmp_path, monkeypatch):
    database = Database(MEMORY)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with database.connect() as connection:
        connection.execute("set memory_limit = '20MB'")
        connection.execute(LARGE)
        assert [*tmp_path.glob("tidegate-spill-*/*.tmp")]
    assert [*tmp_path.glob("*/*.tmp")] == []
    del database
    assert [*tmp_path.iterdir()] == []
