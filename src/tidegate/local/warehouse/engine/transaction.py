"""A session's transaction: Redshift's rules on top of DuckDB's transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import duckdb

from tidegate.local.warehouse.language.failures import SqlError

IDLE, OPEN, FAILED = b"I", b"T", b"E"


class Transaction:
    """Begins DuckDB's transaction at the moment at which Redshift takes its snapshot.

    The first statement that reads or writes takes the snapshot; BEGIN and LOCK do not. So a
    transaction that locks first sees changes that were committed while it waited.
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
        """Whether a transaction block is open."""
        return self.status != IDLE

    def begin(self) -> None:
        """Opens a block (BEGIN)."""
        self.status = OPEN

    def start(self) -> None:
        """Takes the snapshot unless the block has one."""
        if self.status == OPEN and not self._started:
            self._cursor.execute("begin transaction")
            self._started = True

    def commit(self) -> bool:
        """Ends the block (COMMIT); returns False if the block had failed and was rolled back."""
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
        """Ends the block and undoes its changes (ROLLBACK)."""
        self._undo()
        self._close()

    def fail(self) -> None:
        """Marks the block as failed: rolls its changes back and releases its locks."""
        self._undo()
        if self.in_block:
            self.status = FAILED
        self._ended()

    def _undo(self) -> None:
        if self._started:
            self._started = False
            self._undone()
            # When a commit fails, DuckDB has already rolled back.
            with suppress(duckdb.TransactionException):
                self._cursor.execute("rollback")

    def _close(self) -> None:
        self._started = False
        self.status = IDLE
        self._ended()

    def refuse_when_failed(self) -> None:
        """Raises 25P02 in a failed block, which accepts only its end."""
        if self.status == FAILED:
            raise SqlError(
                "25P02",
                "current transaction is aborted, commands ignored until end of transaction block",
            )

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Runs the body all or nothing, in the open block or in a new transaction."""
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
