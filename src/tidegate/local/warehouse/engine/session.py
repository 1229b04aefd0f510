"""A session: the state that one client's statements share."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from tidegate.local.warehouse.catalog.catalog import Catalog
from tidegate.local.warehouse.catalog.history import LOGS, QueryEntry, SessionEntry, now
from tidegate.local.warehouse.engine.cluster import Cluster
from tidegate.local.warehouse.engine.interruption import Interruption
from tidegate.local.warehouse.engine.settings import Settings
from tidegate.local.warehouse.engine.transaction import Transaction
from tidegate.local.warehouse.language.failures import SqlError
from tidegate.local.warehouse.language.lexer import Name

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
    """A client's session: its transaction, locks, settings and temporary tables."""

    def __init__(
        self, cluster: Cluster, user: str, application: str, alive: Callable[[], bool]
    ) -> None:
        self.cluster = cluster
        self.user = user
        self.pid = cluster.pid()
        self.cursor = cluster.connect()
        self.settings = Settings(application_name=application, session_authorization=user)
        self.catalog = Catalog(self.cursor, cluster.committed, self._sees_committed_catalog)
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
        """Rolls back, and releases locks and connection."""
        self.transaction.rollback()
        self.cluster.history.close_session(self.pid)
        self.cursor.close()

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Makes the body cancellable; outside of a block, releases its locks at the end."""
        self.interruption.start(self.cluster.history.number(), self.settings.statement_timeout)
        try:
            yield
        finally:
            self.interruption.stop()
            self._release_locks()

    def begin(self, kind: str, text: str) -> None:
        """Records that a statement has started and makes it cancellable."""
        self.entry = QueryEntry(
            query_id=self.cluster.history.number(),
            user_name=self.user,
            query_label=self.settings.get("query_group"),
            database_name=self.cluster.database,
            session_id=self.pid,
            query_type=kind,
            query_text=text,
            start_time=now(),
            transaction_id=self.transaction_id,
        )
        self.cluster.history.begin(self.entry)
        self.interruption.start(self.entry.query_id, self.settings.statement_timeout)

    def finish(self, *, error: str = "", rows: int = 0) -> None:
        """Records that the statement has ended; outside of a block, releases its locks."""
        self.interruption.stop()
        self.entry.returned_rows = rows
        self._last_query = self.entry.query_id
        self.cluster.history.end(self.entry, error=error)
        self._release_locks()

    def _release_locks(self) -> None:
        if not self.transaction.in_block:
            self.cluster.locks.release(self.pid)

    def abort(self) -> None:
        """Marks an open block as failed, so that it runs nothing more until it ends."""
        self.transaction.fail()

    def _transaction_ended(self) -> None:
        self.cluster.locks.release(self.pid)
        self.transaction_id = self.cluster.history.number()
        # Look-ups from a snapshot older than another session's change may be out of date.
        if self._catalog_version != self.cluster.committed.version:
            self.catalog.forget()
        if self._catalog_changed:
            self.cluster.committed.invalidate()
        self._catalog_changed = False
        self._catalog_version = self.cluster.committed.version

    def _sees_committed_catalog(self) -> bool:
        """Returns whether this block sees the committed catalogue: it changed nothing itself, and
        no other session has changed anything since the block began.
        """
        older = self._catalog_version != self.cluster.committed.version
        return not (self._catalog_changed or (self.transaction.in_block and older))

    def notify(self, code: str, message: str, severity: str = "WARNING") -> None:
        """Queues a notice for the client."""
        self.notices.append(SqlError(code, message, severity=severity))

    def lock_shared(self, names: Sequence[Name]) -> None:
        """Locks the tables in shared mode; waits for exclusive holders."""
        self._acquire(names, exclusively=False)

    def lock_exclusively(self, names: Sequence[Name]) -> None:
        """Locks the tables exclusively; waits for all other holders."""
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
        """Runs statements that change the catalogue, all or none.

        `temporary` says that they concern temporary tables, which no other session sees. If they
        change only one table, `made` is its name.
        """
        with self.transaction.atomic():
            self._catalog_changed |= not temporary
            for statement in statements:
                self.cursor.execute(statement)
            self.catalog.forget(made)

    def record_copy(self, copy_id: int, count: int) -> None:
        """Sets what pg_last_copy_id() and pg_last_copy_count() return from now on."""
        self._last_copy = {"last_copy_id": copy_id, "last_copy_count": count}

    def publish(self, text: str) -> None:
        """Copies into DuckDB the session variables and logs that the statement's text mentions."""
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
