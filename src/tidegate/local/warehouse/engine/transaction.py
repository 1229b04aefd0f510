"""A session's transaction, as Redshift keeps it on top of DuckDB's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import duckdb

from tidegate.local.warehouse.language.failures import SqlError

IDLE, OPEN, FAILED = b"I", b"T", b"E"


class Transaction:
    """Begins DuckDB's transaction as late as Redshift takes its snapshot.

    A snapshot begins with the first statement that reads or writes, not with BEGIN and not with
    LOCK, so that a transaction that locks first sees what was committed while it waited.
    """

    def __init__(
        self,
        cursor: "duckdb.DuckDBPyConnection",
        *,
        ended: Callable[[], None],
        undone: Callable[[], None],
    ) -> None:
        self._cursor = cursor
        self._ended = ended
        self._undone = undone
        self._started = False
        self.status = IDLE

    @property
    def in_block(self) -> bool:
        """Whether BEGIN was sent."""
        return self.status != IDLE

    def begin(self) -> None:
        """BEGIN."""
        self.status = OPEN

    def start(self) -> None:
        """Takes the snapshot, if the block has none yet."""
        if self.status == OPEN and not self._started:
            self._cursor.execute("begin transaction")
            self._started = True

    def commit(self) -> bool:
        """COMMIT; says whether there was anything to commit, which a failed block has not."""
        if self.status == FAILED:
            self.rollback()
            return False
        try:
            if self._started:
                self._cursor.execute("commit")
        except duckdb.Error:
            self._undone()
            self._close()
            raise
        self._close()
        return True

    def rollback(self) -> None:
        """ROLLBACK."""
        self._undo()
        self._close()

    def fail(self) -> None:
        """A statement of the block failed: nothing of it will stay, and nothing holds a lock."""
        self._undo()
        if self.in_block:
            self.status = FAILED
        self._ended()

    def _undo(self) -> None:
        if self._started:
            self._started = False
            self._undone()
            # DuckDB has rolled back by itself when a commit failed.
            with suppress(duckdb.TransactionException):
                self._cursor.execute("rollback")

    def _close(self) -> None:
        self._started = False
        self.status = IDLE
        self._ended()

    def refuse_when_failed(self) -> None:
        """Nothing but the end of the block runs after an error."""
        if self.status == FAILED:
            raise SqlError(
                "25P02",
                "current transaction is aborted, commands ignored until end of transaction block",
            )

    @contextmanager
    def unit(self) -> Iterator[None]:
        """What happens inside happens as a whole, in the open block or in one of its own."""
        if self.in_block:
            self.start()
            yield
            return
        self.begin()
        self.start()
        try:
            yield
        except BaseException:
            self.rollback()
            raise
        self.commit()
