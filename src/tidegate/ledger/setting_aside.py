"""Files that a person sets aside by hand, while no run works on their table."""

import time
from collections.abc import Callable

from tidegate.batch.objects import LandedFile
from tidegate.ledger.files import PENDING, QUARANTINE, partition, pending_key
from tidegate.ledger.items import Item, LedgerTable, pack
from tidegate.ledger.states import STATE
from tidegate.ledger.table_state import TableState

# A run that took the lease since has planned with the file.
_UNTOUCHED = (
    "(attribute_not_exists(fence) or fence = :fence) and "
    "(attribute_not_exists(holder) or lease_expires <= :now)"
)


class HandLedger:
    """Moves files from where they wait to quarantine, each in one write or transaction."""

    def __init__(self, table: LedgerTable, clock: Callable[[], float] = time.time) -> None:
        self._items = table
        self._clock = clock

    def waiting(self, table: str, key: str) -> list[LandedFile]:
        """The versions of the object `key` that wait for `table`, or are in its open batch."""
        found = map(LandedFile.model_validate, self._items.query(partition(table), PENDING))
        return [file for file in found if file.key == key]

    def quarantine(self, table: str, file: LandedFile, reason: str, seen: TableState) -> bool:
        """Move a file that waits to quarantine; False if a run has begun since `seen` was read."""
        pk, waiting = partition(table), {"pk": partition(table), "sk": pending_key(file)}
        refused = {"batch": seen.last_batch, "records": 0, "refused": 0, "reason": reason}
        item = {"pk": pk, "sk": QUARANTINE + file.id, **file.model_dump(), **refused}
        moved = [
            self._items.action(
                "Delete", Key=pack(waiting), ConditionExpression="attribute_exists(pk)"
            ),
            self._items.action("Put", Item=pack(item)),
            self._items.action(
                "Update",
                Key=pack({"pk": pk, "sk": STATE}),
                ConditionExpression=_UNTOUCHED,
                UpdateExpression="add quarantined_files :one",
                ExpressionAttributeValues=pack({":one": 1, **self._now(seen)}),
            ),
        ]
        return not any(self._items.transact(moved))

    def leave_out(self, table: str, file: LandedFile, reason: str, seen: TableState) -> bool:
        """Let the open batch quarantine one of its files; False as in `quarantine`."""
        values = {":aside": seen.set_aside | {file.id: reason}, **self._now(seen)}
        change = "set set_aside = :aside"
        return bool(
            self._items.update(partition(table), STATE, change, values, condition=_UNTOUCHED)
        )

    def _now(self, seen: TableState) -> Item:
        return {":fence": seen.fence, ":now": int(self._clock())}
