"""Quarantines a landed file by hand (`tidegate quarantine add`), so that its table continues."""

from collections.abc import Iterable
from dataclasses import dataclass

from tidegate.batch.objects import LandedFile
from tidegate.batch.plan import OpenBatch
from tidegate.errors import InvalidInputError
from tidegate.ledger import HandLedger, StateLedger
from tidegate.storage.work_bucket import WorkBucket


@dataclass(frozen=True, slots=True)
class SetAside:
    """Moves a file to quarantine. If the file is in the open batch, that batch moves it."""

    states: StateLedger
    waiting: HandLedger
    work: WorkBucket

    def __call__(self, tables: Iterable[str], key: str, reason: str) -> list[str]:
        """Set aside the object `key` in all `tables`; return those whose open batch must go on.

        Raises:
            InvalidInputError: the object is pending for no table, or a run works on its table.
        """
        found = [(table, file) for table in tables for file in self.waiting.waiting(table, key)]
        if not found:
            raise InvalidInputError(
                f"{key!r} is pending for no table; look at tidegate status and tidegate quarantine"
            )
        why = f"set aside by hand: {reason}" if reason else "set aside by hand"
        open_in = {table for table, file in found if self._set_aside(table, file, why)}
        return sorted(open_in)

    def _set_aside(self, table: str, file: LandedFile, reason: str) -> bool:
        state = self.states.read(table)
        batch = self.work.find(state.open_plan, OpenBatch) if state.open_plan else None
        in_batch = batch is not None and any(file in chunk for chunk in batch.chunks)
        move = self.waiting.leave_out if in_batch else self.waiting.quarantine
        if not move(table, file, reason, state):
            raise InvalidInputError(
                f"a run works on {table} now; wait for its end (tidegate wait), then try again"
            )
        return in_batch
