"""Landed objects in the ledger: each is pending, applied, quarantined or unrouted, never two."""

from collections.abc import Iterable, Iterator
from enum import Enum

from tidegate.batch.objects import LandedFile, LandedObject
from tidegate.batch.plan import PreparedFile
from tidegate.ledger.items import MOST_ACTIONS, MOST_GETS, Item, LedgerTable, pack, pieces

UNROUTED = "UNROUTED"
PENDING, DONE, QUARANTINE = "PENDING#", "DONE#", "QUARANTINE#"
_ACTIONS_TO_REGISTER = 3
_ACTIONS_TO_SETTLE = 3  # at most


class Registered(Enum):
    """What the ledger knew of an object when it was registered."""

    NEW = "new"
    PENDING = "pending"
    SETTLED = "settled"


def partition(table: str) -> str:
    """The partition key of everything about one table."""
    return f"TABLE#{table}"


class FileLedger:
    """Registers objects, lists what waits, and settles what a batch did with them."""

    def __init__(self, table: LedgerTable) -> None:
        self._items = table

    def register(self, table: str, files: Iterable[LandedFile]) -> set[Registered]:
        """Put `files` as pending, each once however often it comes; give what was known of them."""
        by_id = newest_by_id(files)
        known: set[Registered] = set()
        for some in pieces(by_id.values(), MOST_ACTIONS // _ACTIONS_TO_REGISTER):
            known |= self._register_some(partition(table), some)
        return known

    def pending(self, table: str) -> Iterator[LandedFile]:
        """What waits, in source order, snapshots first."""
        for item in self._items.query(partition(table), PENDING):
            yield LandedFile.model_validate(item)

    def count_pending(self, table: str) -> int:
        """How many objects wait or are in the open batch."""
        return self._items.count(partition(table), PENDING)

    def known(self, table: str | None, ids: list[str]) -> set[str]:
        """Those of `ids` that are settled for `table`; without a table, that are unrouted."""
        pk, kinds = (partition(table), (DONE, QUARANTINE)) if table else (UNROUTED, ("",))
        found: set[tuple[str, str]] = set()
        for some in pieces(ids, MOST_GETS // len(kinds)):
            found |= self._items.existing([(pk, kind + id_) for id_ in some for kind in kinds])
        return {sk.rpartition("#")[2] for _, sk in found}

    def settle(
        self,
        table: str,
        batch: int,
        files: Iterable[LandedFile],
        outcomes: dict[str, PreparedFile],
        *,
        again: bool = False,
    ) -> None:
        """Move each file of a batch to what became of it, by id, from where it waits.

        With `again` from wherever it is: a full refresh takes files that were settled before.
        A second call with the same arguments changes nothing. What landed again since it was
        planned waits on.
        """
        for some in pieces(files, MOST_ACTIONS // _ACTIONS_TO_SETTLE):
            moves = [
                self._move(partition(table), batch, file, outcomes[file.id], again=again)
                for file in some
            ]
            while moves:
                refused = self._items.transact([action for move in moves for action in move])
                if not any(refused):
                    break
                refusals = pieces(refused, len(moves[0]))
                pairs = zip(moves, refusals, strict=True)
                moves = [move for move, refusal in pairs if not any(refusal)]

    def add_unrouted(self, landed: LandedObject) -> None:
        """Remember an object that no contract claims."""
        self._items.put({"pk": UNROUTED, "sk": landed.id, **landed.model_dump()})

    def unrouted(self) -> Iterator[LandedObject]:
        """The objects that no contract claimed when they were last looked at."""
        return map(LandedObject.model_validate, self._items.query(UNROUTED))

    def count_unrouted(self) -> int:
        """How many objects no contract claims."""
        return self._items.count(UNROUTED)

    def remove_unrouted(self, landed: LandedObject) -> None:
        """Forget that no contract claimed an object."""
        self._items.delete(UNROUTED, landed.id)

    def _move(
        self, pk: str, batch: int, file: LandedFile, outcome: PreparedFile, *, again: bool
    ) -> list[Item]:
        kinds = (QUARANTINE, DONE) if outcome.quarantined else (DONE, QUARANTINE)
        became, other = (kind + file.id for kind in kinds)
        item = {
            "pk": pk,
            "sk": became,
            **file.model_dump(),
            "batch": batch,
            "records": outcome.records,
            "refused": outcome.refused,
            "reason": outcome.quarantined,
        }
        waiting = {"pk": pk, "sk": pending_key(file)}
        moved = [
            self._items.action(
                "Delete",
                Key=pack(waiting),
                ConditionExpression="attribute_not_exists(pk) or landed_at <= :landed_at",
                ExpressionAttributeValues=pack({":landed_at": file.landed_at}),
            ),
            self._items.action("Put", Item=pack(item)),
        ]
        if again:
            moved.append(self._items.action("Delete", Key=pack({"pk": pk, "sk": other})))
        return moved

    def _register_some(self, pk: str, files: list[LandedFile]) -> set[Registered]:
        known: set[Registered] = set()
        while files:
            actions = [a for file in files for a in self._register_actions(pk, file)]
            refused = self._items.transact(actions)
            if not any(refused):
                return known | {Registered.NEW}
            refusals = list(pieces(refused, _ACTIONS_TO_REGISTER))
            known |= {_known(refusal) for refusal in refusals if any(refusal)}
            files = [
                file for file, refusal in zip(files, refusals, strict=True) if not any(refusal)
            ]
        return known

    def _register_actions(self, pk: str, file: LandedFile) -> list[Item]:
        checks = [
            self._items.action(
                "ConditionCheck", Key=pack({"pk": pk, "sk": kind + file.id}), unless_exists=True
            )
            for kind in (DONE, QUARANTINE)
        ]
        item = {"pk": pk, "sk": pending_key(file), **file.model_dump()}
        return [*checks, self._items.action("Put", Item=pack(item), unless_exists=True)]


def newest_by_id(files: Iterable[LandedFile]) -> dict[str, LandedFile]:
    """Of each object that was told of more than once, what was told of its last landing."""
    return {file.id: file for file in sorted(files, key=lambda file: file.landed_at)}


def pending_key(file: LandedFile) -> str:
    """The sort key of a file that waits: by kind, and within it in source order."""
    # A blank sorts below whatever a longer order goes on with.
    return f"{PENDING}{file.kind}#{file.order} {file.id}"


def _known(refusal: list[bool]) -> Registered:
    *settled, _ = refusal
    return Registered.SETTLED if any(settled) else Registered.PENDING
