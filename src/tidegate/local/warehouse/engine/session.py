"""A session: one client's statements, one after the other."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import duckdb

from tidegate.local.warehouse.catalog.catalog import Catalog, Relation
from tidegate.local.warehouse.catalog.history import LOGS, QueryEntry, SessionEntry, now
from tidegate.local.warehouse.engine.cluster import Cluster
from tidegate.local.warehouse.engine.interruption import Interruption
from tidegate.local.warehouse.engine.settings import Settings
from tidegate.local.warehouse.engine.statement import Block, Outcome, Statement
from tidegate.local.warehouse.engine.transaction import Transaction
from tidegate.local.warehouse.language.failures import SqlError, not_understood
from tidegate.local.warehouse.language.lexer import Name
from tidegate.local.warehouse.language.translation import Circumstance, translate
from tidegate.local.warehouse.protocol.messages import Field
from tidegate.local.warehouse.protocol.values import Parameter
from tidegate.local.warehouse.statements.grammar import parse

VERSION = (
    "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 "
    "(Red Hat 3.4.2-6.fc3), Redshift 1.0.999999 (Tidegate local warehouse)"
)
_LOG_VIEWS = {
    "sys_query_history": "log_queries",
    "stl_query": "log_queries",
    "sys_load_error_detail": "log_load_errors",
    "stl_load_errors": "log_load_errors",
    "stv_sessions": "log_sessions",
}


class Session:
    """What a client's connection owns: transaction, locks, settings, temporary tables."""

    def __init__(
        self, cluster: Cluster, user: str, application: str, alive: Callable[[], bool]
    ) -> None:
        self.cluster = cluster
        self.user = user
        self.pid = cluster.pid()
        self.cursor = cluster.connect()
        self.settings = Settings(application_name=application, session_authorization=user)
        self.catalog = Catalog(self.cursor, cluster.committed, self._sees_what_all_see)
        self.interruption = Interruption(self.cursor.interrupt)
        self.transaction = Transaction(
            self.cursor, ended=self._transaction_ended, undone=self.catalog.forget
        )
        self.notices: list[SqlError] = []
        self.transaction_id = cluster.history.number()
        self._alive = alive
        self._last_query = 0
        self._last_copy = {"last_copy_id": 0, "last_copy_count": 0}
        self._catalog_changed = False
        self._catalog_version = cluster.committed.version
        self._set_variables(pid=self.pid, user=user, version=VERSION, database=cluster.database)
        cluster.history.open_session(
            SessionEntry(self.pid, user, cluster.database, now(), application)
        )

    def close(self) -> None:
        """Rolls back and gives everything up."""
        self.transaction.rollback()
        self.cluster.history.close_session(self.pid)
        self.cursor.close()

    def prepare(self, text: str) -> Statement:
        """Reads and checks a statement."""
        try:
            statement = parse(text, self.cluster.database)
        except SqlError:
            raise
        except Exception as error:
            raise not_understood(error) from error
        self._admit(statement)
        return statement

    def describe(self, statement: Statement, oids: Sequence[int]) -> Sequence[Field] | None:
        """The columns of the statement's result."""
        self._admit(statement)
        self.interruption.start(self.cluster.history.number(), self.settings.statement_timeout)
        try:
            return statement.describe(self, oids)
        except Exception as error:
            raise self._translated(statement, error) from error
        finally:
            self.interruption.stop()
            if not self.transaction.in_block:
                self.cluster.locks.release(self.pid)

    def execute(self, statement: Statement, parameters: Sequence[Parameter]) -> Outcome:
        """Starts a statement; whoever called it takes the rows and then calls `finish`."""
        self._admit(statement)
        self.entry = self._entry(statement)
        self.cluster.history.begin(self.entry)
        self.interruption.start(self.entry.query_id, self.settings.statement_timeout)
        try:
            return statement.run(self, parameters)
        except Exception as error:
            raise self.failed(statement, error) from error

    def failed(self, statement: Statement, error: Exception) -> SqlError:
        """The statement's error in Redshift's words; the block, if any, has failed with it."""
        told = self._translated(statement, error)
        self.abort()
        self.finish(error=told.detail or told.message)
        return told

    def finish(self, *, error: str = "", rows: int = 0) -> None:
        """The statement is over."""
        self.interruption.stop()
        self.entry.returned_rows = rows
        self._last_query = self.entry.query_id
        self.cluster.history.end(self.entry, error=error)
        if not self.transaction.in_block:
            self.cluster.locks.release(self.pid)

    def abort(self) -> None:
        """Something failed: an open block runs nothing more until it ends."""
        self.transaction.fail()

    def _entry(self, statement: Statement) -> QueryEntry:
        return QueryEntry(
            query_id=self.cluster.history.number(),
            user_name=self.user,
            query_label=self.settings.get("query_group"),
            database_name=self.cluster.database,
            session_id=self.pid,
            query_type=statement.kind,
            query_text=statement.text,
            start_time=now(),
            transaction_id=self.transaction_id,
        )

    def _admit(self, statement: Statement) -> None:
        if statement.block is not Block.EVEN_FAILED:
            self.transaction.refuse_when_failed()
        in_block = self.transaction.in_block
        if statement.block is Block.OUTSIDE and in_block:
            message = f"{statement.label} cannot run inside a transaction block"
            raise SqlError("25001", message)
        if statement.block is Block.INSIDE and not in_block:
            message = f"{statement.label} may only be used in transaction blocks"
            raise SqlError("25P01", message)

    def _translated(self, statement: Statement, error: Exception) -> SqlError:
        if self.interruption.reason is not None:
            return self.interruption.reason
        if isinstance(error, SqlError):
            return error
        if not isinstance(error, duckdb.Error):
            return not_understood(error)
        names = statement.names()
        target = self._find_quietly(names[0]) if names else None
        places = [name.table for name in names]
        return translate(error, Circumstance(places, target.oid if target else 0, self.pid))

    def _find_quietly(self, name: Name) -> Relation | None:
        try:
            return self.catalog.find(name)
        except duckdb.Error:
            return None

    def _transaction_ended(self) -> None:
        self.cluster.locks.release(self.pid)
        self.transaction_id = self.cluster.history.number()
        # What was looked up in a snapshot older than another session's change may be out of date.
        if self._catalog_version != self.cluster.committed.version:
            self.catalog.forget()
        if self._catalog_changed:
            self.cluster.committed.changed()
        self._catalog_changed = False
        self._catalog_version = self.cluster.committed.version

    def _sees_what_all_see(self) -> bool:
        """Whether neither this block nor any other session since it began changed the catalogue."""
        older = self._catalog_version != self.cluster.committed.version
        return not (self._catalog_changed or (self.transaction.in_block and older))

    def notify(self, code: str, message: str, severity: str = "WARNING") -> None:
        """Something the client should know that is no error."""
        self.notices.append(SqlError(code, message, severity=severity))

    def share(self, names: Sequence[Name]) -> None:
        """Waits until nobody holds the tables alone."""
        self._acquire(names, exclusively=False)

    def lock(self, names: Sequence[Name]) -> None:
        """Waits until nobody else holds the tables, and keeps everybody off them."""
        self._acquire(names, exclusively=True)

    def _acquire(self, names: Sequence[Name], *, exclusively: bool) -> None:
        tables = [table for name in names for table in self._tables_under(name)]
        self.cluster.locks.acquire(
            self.pid, tables, exclusively=exclusively, check=self._check_waiting
        )

    def _tables_under(self, name: Name) -> list[str]:
        found = self.catalog.find(name)
        if found is None:
            return [f"{name.schema or 'public'}.{name.table}"]
        if found.temporary or found.name.schema.startswith("$"):
            return []
        return [str(found.name)]

    def _check_waiting(self) -> None:
        self.interruption.check()
        if not self._alive():
            raise SqlError("08006", "the client closed the connection")

    def read(self, sql: str, values: Sequence[Any]) -> "duckdb.DuckDBPyConnection":
        """Runs a query in the block's snapshot."""
        self.transaction.start()
        return self.cursor.execute(sql, list(values))

    def define(
        self, statements: Sequence[str], *, made: Name | None = None, temporary: bool = False
    ) -> None:
        """Runs what changes the catalogue, as a whole; temporary tables concern nobody else.

        `made` is the only table that is another one after it, if there is only one.
        """
        with self.transaction.unit():
            self._catalog_changed |= not temporary
            for statement in statements:
                self.cursor.execute(statement)
            self.catalog.forget(made)

    def loaded(self, copy_id: int, count: int) -> None:
        """What pg_last_copy_count() tells from here on."""
        self._last_copy = {"last_copy_id": copy_id, "last_copy_count": count}

    def publish(self, text: str) -> None:
        """Lets DuckDB see what the statement asks about the session and the history."""
        asked = text.lower()
        for log in {log for view, log in _LOG_VIEWS.items() if view in asked}:
            self._set_variables(**{log: self.cluster.history.snapshot(LOGS[log])})
        if "pg_last_copy" in asked:
            self._set_variables(**self._last_copy)
        if "pg_last_query_id" in asked:
            self._set_variables(last_query_id=self._last_query)
        if "current_setting" in asked:
            self._set_variables(settings=json.dumps(dict(self.settings.items())))

    def _set_variables(self, **values: str | int) -> None:
        for name, value in values.items():
            self.cursor.execute(f"set variable {name} = $1", [value])
