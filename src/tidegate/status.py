"""Reads the status of every table of a deployed Tidegate, for `tidegate status` and `wait`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from tidegate.ledger import Catalogue, FileLedger, LedgerTable, StateLedger, TableState

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.literals import QueueAttributeNameType

_TAKEN_OVER = {
    "watermark",
    "applied_files",
    "quarantined_files",
    "quarantined_rows",
    "last_error",
    "attempts",
    "as_of",
}
Word = Literal["idle", "running", "waiting", "blocked"]
# A message counts until register_files has handled it, also while a function holds it.
_ON_THE_WAY: "tuple[QueueAttributeNameType, ...]" = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
)


class TableStatus(BaseModel):
    """The status of one table.

    `pending` counts the files that wait or are in the open batch. `lag_seconds` counts from when
    files began to wait. `attempts` counts the failures in a row. A `waiting` table is tried
    again by itself at `retry_at`. `evolved_columns` came with files; the contract does not name
    them. `refresh_wanted` is true until a requested full refresh is done. `as_of` is that of the
    last full refresh: Tidegate ignores changes up to it.
    """

    table: str
    state: Word
    pending: int
    watermark: str | None
    applied_files: int
    quarantined_files: int
    quarantined_rows: int
    lag_seconds: int
    last_error: str | None
    attempts: int = 0
    retry_at: datetime | None = None
    evolved_columns: list[str] = []
    refresh_wanted: bool = False
    as_of: str | None = None

    @property
    def has_work(self) -> bool:
        """Whether the table still has work to do."""
        return self.pending > 0 or self.refresh_wanted or self.state in {"running", "waiting"}


class Status(BaseModel):
    """The status of all tables, and the number of objects that no contract claims."""

    tables: list[TableStatus]
    unrouted: int


class Deployed:
    """Reads a deployed Tidegate's ledger, and its queue of landed objects."""

    def __init__(self, ledger: LedgerTable, sqs: "SQSClient", queue_url: str | None) -> None:
        self._catalogue = Catalogue(ledger)
        self._states = StateLedger(ledger)
        self._files = FileLedger(ledger)
        self._sqs = sqs
        self._queue_url = queue_url

    def status(self) -> Status:
        """Read the status of every table, sorted by name."""
        now = self._states.now()
        known = self._states.read_all(self._catalogue.tables())
        tables = [
            _status(table, state, _pending(self._files, table, state), now)
            for table, state in known.items()
        ]
        return Status(tables=tables, unrouted=self._files.count_unrouted())

    def left(self) -> list[TableStatus | int]:
        """List the tables that have work, then the number of objects not yet registered, if any."""
        # Ask the queue first: a message leaves it only after the ledger knows its object.
        messages = self._messages()
        tables = [table for table in self.status().tables if table.has_work]
        return [*tables, messages] if messages else [*tables]

    def _messages(self) -> int:
        if not self._queue_url:
            return 0
        answer = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["All"])
        return sum(int(answer["Attributes"][name]) for name in _ON_THE_WAY)


def _pending(files: FileLedger, table: str, state: TableState) -> int:
    waits = state.pending_since is not None or state.open_batch is not None
    return files.count_pending(table) if waits else 0


def _status(table: str, state: TableState, pending: int, now: int) -> TableStatus:
    waiting_since = state.pending_since if pending else None
    word = _word(state, now)
    return TableStatus(
        table=table,
        state=word,
        retry_at=datetime.fromtimestamp(state.retry_at, UTC) if word == "waiting" else None,
        pending=pending,
        lag_seconds=max(now - waiting_since, 0) if waiting_since else 0,
        evolved_columns=[column.name for column in state.applied.evolved] if state.applied else [],
        refresh_wanted=state.refresh is not None,
        **state.model_dump(include=_TAKEN_OVER),
    )


def _word(state: TableState, now: int) -> Word:
    if state.is_held(now):
        return "running"
    if state.blocked:
        return "blocked"
    return "waiting" if state.retry_at else "idle"
