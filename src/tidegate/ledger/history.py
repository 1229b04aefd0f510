"""What was applied before: found by the time it landed, and made to wait once more."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from tidegate.landing.objects import LandedFile
from tidegate.ledger.files import DONE, QUARANTINE, partition, pending_key
from tidegate.ledger.items import MOST_ACTIONS, MOST_GETS, Item, LedgerTable, pack, pieces
from tidegate.ledger.states import STATE

_ACTIONS_TO_REPEAT = 2
_WHERE = {"since": "landed_at >= :since", "until": "landed_at < :until", "kind": "kind = :kind"}
_COUNTED = ("applied_files", "quarantined_files", "quarantined_rows")


class AppliedFile(LandedFile):
    """A file that `batch` applied; `refused` of its rows are in quarantine."""

    batch: int
    refused: int

    def as_landed(self) -> LandedFile:
        """The file as it was when it waited."""
        return LandedFile.model_validate(self.model_dump(exclude={"batch", "refused"}))


class FileHistory:
    """Reads and repeats what FileLedger settled."""

    def __init__(self, table: LedgerTable, clock: Callable[[], float] = time.time) -> None:
        self._items = table
        self._clock = clock

    def applied(
        self, table: str, since: int, until: int | None = None, kind: int | None = None
    ) -> Iterator[AppliedFile]:
        """The applied files that landed from `since` on and before `until`, in no order."""
        given = {"since": since, "until": until, "kind": kind}
        values = {name: value for name, value in given.items() if value is not None}
        where = " and ".join(_WHERE[name] for name in values)
        found = self._items.query(partition(table), DONE, where=where, **values)
        return map(AppliedFile.model_validate, found)

    def counts(self, table: str, files: Iterable[LandedFile]) -> dict[str, int]:
        """What the table's counts hold of `files` because they are settled already."""
        counts = Counter(dict.fromkeys(_COUNTED, 0))
        pk = partition(table)
        for some in pieces(files, MOST_GETS // 2):
            keys = [(pk, kind + file.id) for file in some for kind in (DONE, QUARANTINE)]
            for item in self._items.get_all(keys):
                applied = item["sk"].startswith(DONE)
                counts["applied_files" if applied else "quarantined_files"] += 1
                counts["quarantined_rows"] += item["refused"]
        return dict(counts)

    def repeat(self, table: str, since: int, until: int) -> bool:
        """Make applied files wait once more; again and again is as good as once.

        Those that were applied before the last full refresh stay as they are: its snapshot has
        taken their place. False if a refresh is wanted, or was done while this went on.
        """
        state = self._items.get(partition(table), STATE) or {}
        epoch_from = state.get("epoch_from", 0)
        found = (file for file in self.applied(table, since, until) if file.batch >= epoch_from)
        some = pieces(found, (MOST_ACTIONS - 1) // _ACTIONS_TO_REPEAT)
        return all(self._repeat_some(table, files, epoch_from) for files in some)

    def _repeat_some(self, table: str, files: list[AppliedFile], epoch_from: int) -> bool:
        while files:
            moves = [action for file in files for action in self._move(table, file)]
            *refused, of_state = self._items.transact(
                [*moves, self._wake(table, files, epoch_from)]
            )
            if of_state:
                return False
            if not any(refused):
                return True
            # Somebody else has made these wait meanwhile.
            pairs = zip(files, pieces(refused, _ACTIONS_TO_REPEAT), strict=True)
            files = [file for file, refusals in pairs if not any(refusals)]
        return True

    def _move(self, table: str, file: AppliedFile) -> list[Item]:
        pk, landed = partition(table), file.as_landed()
        waiting = {"pk": pk, "sk": pending_key(landed), **landed.model_dump()}
        return [
            self._items.action(
                "Delete",
                Key=pack({"pk": pk, "sk": DONE + file.id}),
                ConditionExpression="attribute_exists(pk)",
            ),
            self._items.action("Put", Item=pack(waiting)),
        ]

    def _wake(self, table: str, files: list[AppliedFile], epoch_from: int) -> Item:
        values = {
            ":now": int(self._clock()),
            ":one": 1,
            ":files": -len(files),
            ":rows": -sum(file.refused for file in files),
            ":epoch_from": epoch_from,
        }
        return self._items.action(
            "Update",
            Key=pack({"pk": partition(table), "sk": STATE}),
            ConditionExpression="attribute_not_exists(refresh) and "
            "(attribute_not_exists(epoch_from) or epoch_from = :epoch_from)",
            UpdateExpression="set pending_since = if_not_exists(pending_since, :now) "
            "add wake :one, applied_files :files, quarantined_rows :rows",
            ExpressionAttributeValues=pack(values),
        )
