"""What the ledger says of all tables at one moment."""

from typing import Literal

from pydantic import BaseModel

from tidegate.ledger import Catalogue, FileLedger, StateLedger, TableState

_TAKEN_OVER = {
    "watermark",
    "applied_files",
    "quarantined_files",
    "quarantined_rows",
    "last_error",
}


class TableStatus(BaseModel):
    """One table: `pending` counts files that wait or are in the open batch; lag is in seconds.

    `evolved_columns` are those that its files brought and its contract does not name.
    """

    table: str
    state: Literal["idle", "running", "blocked"]
    pending: int
    watermark: str | None
    applied_files: int
    quarantined_files: int
    quarantined_rows: int
    lag_seconds: int
    last_error: str | None
    evolved_columns: list[str] = []

    @property
    def has_work(self) -> bool:
        """Whether something is still to be done for it."""
        return self.pending > 0 or self.state == "running"


class Status(BaseModel):
    """All tables, and how many objects no contract claims."""

    tables: list[TableStatus]
    unrouted: int


def read_status(catalogue: Catalogue, states: StateLedger, files: FileLedger) -> Status:
    """The status of every deployed table, by name."""
    now = states.now()
    known = states.read_all(catalogue.tables())
    tables = [
        _status(table, state, _pending(files, table, state), now) for table, state in known.items()
    ]
    return Status(tables=tables, unrouted=files.count_unrouted())


def _pending(files: FileLedger, table: str, state: TableState) -> int:
    waits = state.pending_since is not None or state.open_batch is not None
    return files.count_pending(table) if waits else 0


def _status(table: str, state: TableState, pending: int, now: int) -> TableStatus:
    waiting_since = state.pending_since if pending else None
    return TableStatus(
        table=table,
        state=_word(state, now),
        pending=pending,
        lag_seconds=max(now - waiting_since, 0) if waiting_since else 0,
        evolved_columns=[column.name for column in state.applied.evolved] if state.applied else [],
        **state.model_dump(include=_TAKEN_OVER),
    )


def _word(state: TableState, now: int) -> Literal["idle", "running", "blocked"]:
    if state.is_held(now):
        return "running"
    return "blocked" if state.blocked else "idle"
