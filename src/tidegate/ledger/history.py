"""What was settled before: found by the time it landed, and made to wait once more."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from tidegate.batch.objects import LandedFile
from tidegate.ledger.files import DONE, QUARANTINE, newest_by_id, partition, pending_key
from tidegate.ledger.items import MOST_ACTIONS, MOST_GETS, Item, LedgerTable, pack, pieces
from tidegate.ledger.states import STATE
from tidegate.position import SNAPSHOT

_ACTIONS_TO_MOVE = 2
_MOST_MOVES = (MOST_ACTIONS - 1) // _ACTIONS_TO_MOVE
_SETTLED = (DONE, QUARANTINE)
_COUNTED = ("applied_files", "quarantined_files", "quarantined_rows")


class SettledFile(LandedFile):
    """A file that `batch` applied, or quarantined for `reason`; `refused` of its rows are there."""

    batch: int
    refused: int
    reason: str | None = None

    def as_landed(self) -> LandedFile:
        """The file as it was when it waited."""
        return LandedFile.model_validate(self.model_dump(exclude={"batch", "refused", "reason"}))


Move = tuple[SettledFile, LandedFile]


class FileHistory:
    """Reads and repeats what FileLedger settled."""

    def __init__(self, table: LedgerTable, clock: Callable[[], float] = time.time) -> None:
        self._items = table
        self._clock = clock

    def applied(self, table: str, since: int, kind: int) -> Iterator[SettledFile]:
        """The applied files of a kind that landed from `since` on, in no order."""
        where = "landed_at >= :since and kind = :kind"
        found = self._items.query(partition(table), DONE, where=where, since=since, kind=kind)
        return map(SettledFile.model_validate, found)

    def refused(self, table: str) -> Iterator[SettledFile]:
        """The files in quarantine, then those that have refused rows."""
        files = self._items.query(partition(table), QUARANTINE)
        rows = self._items.query(partition(table), DONE, where="refused > :none", none=0)
        return map(SettledFile.model_validate, chain(files, rows))

    def counts(self, table: str, files: Iterable[LandedFile]) -> dict[str, int]:
        """What the table's counts hold of `files` because they are settled already."""
        counts = Counter(dict.fromkeys(_COUNTED, 0))
        for some in pieces((file.id for file in files), MOST_GETS // 2):
            for item in self._found(table, _SETTLED, some):
                applied = item["sk"].startswith(DONE)
                counts["applied_files" if applied else "quarantined_files"] += 1
                counts["quarantined_rows"] += item["refused"]
        return dict(counts)

    def repeat(self, table: str, since: int, until: int) -> bool:
        """Make files wait once more that landed from `since` on and before `until`, applied or not.

        Again and again is as good as once. Those that were settled before the last full refresh
        stay as they are: its snapshot has taken their place. So do those of a batch that is not
        closed, which has yet to count them. False if a refresh is wanted, or was done while this
        went on.
        """
        epoch_from, last_batch = self._closed_batches(table)
        settled = chain(*(self._settled(table, of, since, until) for of in _SETTLED))
        closed = (file for file in settled if epoch_from <= file.batch <= last_batch)
        moved = ((file, file.as_landed()) for file in closed)
        still = {
            "condition": "attribute_not_exists(refresh) and "
            "(attribute_not_exists(epoch_from) or epoch_from = :epoch_from)",
            "values": {":epoch_from": epoch_from},
        }
        return all(self._move_some(table, some, **still) for some in pieces(moved, _MOST_MOVES))

    def land_again(
        self, table: str, files: Iterable[LandedFile], counts: Callable[[LandedFile], bool]
    ) -> bool:
        """Make those of `files` wait that landed again since they were settled.

        Such a file was quarantined, or was applied and `counts` once more. Tells whether there are
        any. Changes that were quarantined before the last full refresh are as old as they were:
        its snapshot is newer.
        """
        by_id = newest_by_id(files)
        epoch_from, _ = self._closed_batches(table)
        moved = [
            (settled, _as_old(by_id[settled.id], settled, epoch_from))
            for some in pieces(by_id, MOST_GETS // 2)
            for settled in map(SettledFile.model_validate, self._found(table, _SETTLED, some))
            if settled.landed_at < by_id[settled.id].landed_at
            and (settled.reason or counts(by_id[settled.id]))
        ]
        for some in pieces(moved, _MOST_MOVES):
            self._move_some(table, some)
        return bool(moved)

    def _closed_batches(self, table: str) -> tuple[int, int]:
        """The batch of the last full refresh, and the last one of all; 0 if there was none."""
        state = self._items.get(partition(table), STATE) or {}
        return int(state.get("epoch_from", 0)), int(state.get("last_batch", 0))

    def _settled(self, table: str, of: str, since: int, until: int) -> Iterator[SettledFile]:
        where = "landed_at >= :since and landed_at < :until"
        found = self._items.query(partition(table), of, where=where, since=since, until=until)
        return map(SettledFile.model_validate, found)

    def _found(self, table: str, kinds: Iterable[str], ids: list[str]) -> Iterator[Item]:
        return self._items.get_all(
            [(partition(table), kind + id_) for id_ in ids for kind in kinds]
        )

    def _move_some(self, table: str, moved: list[Move], **still: Any) -> bool:  # noqa: ANN401
        while moved:
            actions = [action for move in moved for action in self._move(table, *move)]
            settled = [file for file, _ in moved]
            *refused, of_state = self._items.transact(
                [*actions, self._wake(table, settled, **still)]
            )
            if of_state:
                return False
            if not any(refused):
                return True
            # Somebody else has made these wait meanwhile.
            pairs = zip(moved, pieces(refused, _ACTIONS_TO_MOVE), strict=True)
            moved = [move for move, refusals in pairs if not any(refusals)]
        return True

    def _move(self, table: str, settled: SettledFile, landed: LandedFile) -> list[Item]:
        pk, kind = partition(table), QUARANTINE if settled.reason else DONE
        waiting = {"pk": pk, "sk": pending_key(landed), **landed.model_dump()}
        return [
            self._items.action(
                "Delete",
                Key=pack({"pk": pk, "sk": kind + settled.id}),
                ConditionExpression="attribute_exists(pk)",
            ),
            self._items.action("Put", Item=pack(waiting)),
        ]

    def _wake(
        self,
        table: str,
        settled: list[SettledFile],
        condition: str = "attribute_exists(pk)",
        values: Item | None = None,
    ) -> Item:
        quarantined = sum(1 for file in settled if file.reason)
        values = {
            ":now": int(self._clock()),
            ":one": 1,
            ":applied": quarantined - len(settled),
            ":quarantined": -quarantined,
            ":rows": -sum(file.refused for file in settled),
            **(values or {}),
        }
        return self._items.action(
            "Update",
            Key=pack({"pk": partition(table), "sk": STATE}),
            ConditionExpression=condition,
            UpdateExpression="set pending_since = if_not_exists(pending_since, :now) "
            "add wake :one, applied_files :applied, quarantined_files :quarantined, "
            "quarantined_rows :rows",
            ExpressionAttributeValues=pack(values),
        )


def _as_old(landed: LandedFile, settled: SettledFile, epoch_from: int) -> LandedFile:
    if not settled.reason or landed.kind == SNAPSHOT or settled.batch >= epoch_from:
        return landed
    return landed.model_copy(update={"landed_at": settled.landed_at})
