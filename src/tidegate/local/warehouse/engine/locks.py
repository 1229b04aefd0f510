"""Table locks: a transaction shares the tables it touches; LOCK and DDL hold them exclusively.

https://docs.aws.amazon.com/redshift/latest/dg/r_LOCK.html
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tidegate.local.warehouse.language.failures import SqlError

# How often a waiting session checks whether it was cancelled or its client has disconnected.
POLL_SECONDS = 0.05


@dataclass
class _TableLock:
    exclusive: int | None = None
    shared: set[int] = field(default_factory=set)

    def blockers(self, session: int, *, exclusively: bool) -> set[int]:
        """Returns the other sessions whose hold on the table conflicts with this one's."""
        holders = {self.exclusive} - {None, session}
        if exclusively:
            holders |= self.shared - {session}
        return {holder for holder in holders if holder is not None}

    def grant(self, session: int, *, exclusively: bool) -> None:
        if exclusively:
            self.exclusive = session
        else:
            self.shared.add(session)

    def revoke(self, session: int) -> None:
        self.shared.discard(session)
        if self.exclusive == session:
            self.exclusive = None


class Locks:
    """Records which session holds which table and which session waits for which."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._tables: dict[str, _TableLock] = {}
        self._waiting: dict[int, set[int]] = {}

    def acquire(
        self, session: int, tables: Iterable[str], *, exclusively: bool, check: Callable[[], None]
    ) -> None:
        """Locks the tables in the given order; `check` raises to end a pointless wait."""
        with self._changed:
            for table in tables:
                self._acquire(session, table, exclusively, check)

    def _acquire(
        self, session: int, table: str, exclusively: bool, check: Callable[[], None]
    ) -> None:
        try:
            while blockers := self._lock(table).blockers(session, exclusively=exclusively):
                self._waiting[session] = blockers
                self._refuse_deadlock(session)
                self._changed.wait(POLL_SECONDS)
                check()
        finally:
            self._waiting.pop(session, None)
        self._lock(table).grant(session, exclusively=exclusively)

    def _lock(self, table: str) -> _TableLock:
        return self._tables.setdefault(table, _TableLock())

    def _refuse_deadlock(self, session: int) -> None:
        reached, ahead = set[int](), set(self._waiting[session])
        while ahead:
            other = ahead.pop()
            if other == session:
                raise SqlError("40P01", "deadlock detected")
            reached.add(other)
            ahead |= self._waiting.get(other, set()) - reached

    def release(self, session: int) -> None:
        """Releases all locks of the session."""
        with self._changed:
            for table in list(self._tables):
                lock = self._tables[table]
                lock.revoke(session)
                if lock.exclusive is None and not lock.shared:
                    del self._tables[table]
            self._changed.notify_all()
