"""Full refreshes in the ledger: one is wanted at a time, by the run that asked for it.

Whoever holds the table's lease does what is wanted, so that a busy table cannot keep a refresh
waiting for ever, nor lose it with the run that asked.
"""

from tidegate.batch.refresh import Refresh
from tidegate.ledger.files import partition
from tidegate.ledger.items import Item, LedgerTable
from tidegate.ledger.states import FORGET_FAILURES, NOT_ANOTHERS, REFRESH, STATE, batch_key


class RefreshLedger:
    """Notes of STATE and REFRESH items, each one conditional write."""

    def __init__(self, table: LedgerTable) -> None:
        self._items = table

    def want(self, table: str, refresh: Refresh) -> bool:
        """Note that `refresh` is wanted; False if it is done already.

        While another run's is wanted, this one has to be noted later.
        """
        if self._items.get(partition(table), REFRESH + refresh.run):
            return False
        self._items.update(
            partition(table),
            STATE,
            "set refresh = :refresh add wake :one",
            {":refresh": refresh.model_dump(), ":run": refresh.run, ":one": 1},
            condition="attribute_not_exists(refresh) or refresh.run = :run",
        )
        return True

    def done(self, table: str, run: str) -> Item | None:
        """The BATCH item of the full refresh that `run` asked for, once it is done."""
        found = self._items.get(partition(table), REFRESH + run)
        return self._items.get(partition(table), batch_key(found["batch"])) if found else None

    def abandon(self, table: str, holder: str) -> None:
        """Forget the refresh that was refused, with its batch, and let go of the lease.

        Only a batch that Redshift refused may be forgotten: its number was never recorded there.
        """
        gone = "refresh, open_batch, open_plan, released, narrow, blocked_by, held_back"
        self._forget(table, holder, f"remove holder, lease_expires, {gone}")

    def turn_down(self, table: str, holder: str, last_error: str) -> None:
        """Forget the refresh that was refused before it was planned, and let go of the lease.

        The table stays as it was, with its open batch, and with `last_error` for its last one.
        """
        change = "set last_error = :error remove holder, lease_expires, refresh"
        self._forget(table, holder, change, {":error": last_error})

    def _forget(self, table: str, holder: str, change: str, values: Item | None = None) -> None:
        change, known = f"{change}, {FORGET_FAILURES}", {":holder": holder} | (values or {})
        self._items.update(partition(table), STATE, change, known, condition=NOT_ANOTHERS)
