"""The state of a table: its lease with the fence, its watermark, its open batch, its counts.

A table has one writer at a time. Who takes the lease gets a new fence, higher than all before; the
job checks it inside its transaction, so that an earlier holder that still lives cannot commit.
Whoever leaves work for a table raises `wake`; the holder lets go only if `wake` is still what it
was before the holder looked for work, so no wake-up is lost.
"""

import time
from collections.abc import Callable

from tidegate.batch.plan import Outcome, Plan
from tidegate.ledger.files import partition
from tidegate.ledger.items import MOST_GETS, Item, LedgerTable, pack, pieces
from tidegate.ledger.table_state import TableState

STATE, BATCH, REFRESH = "STATE", "BATCH#", "REFRESH#"
_KEEP_BATCHES = 400 * 86_400  # seconds
_KEEP_REFRESHES = 90 * 86_400  # as long as Step Functions remembers a run
NOT_ANOTHERS = "attribute_not_exists(holder) or holder = :holder"
# What is known of failures, until all is well again or a person has to look.
FAILURES = ("attempts", "unexplained", "failing_since", "retry_at")
FORGET_FAILURES = ", ".join(FAILURES)


def batch_key(batch: int) -> str:
    """The sort key of the record of a batch."""
    return f"{BATCH}{batch:013d}"


class StateLedger:
    """Changes of STATE, each one conditional write."""

    def __init__(self, table: LedgerTable, clock: Callable[[], float] = time.time) -> None:
        self._items = table
        self._clock = clock

    def now(self) -> int:
        """Seconds since 1970."""
        return int(self._clock())

    def read(self, table: str) -> TableState:
        """STATE of `table`; of one that nothing ever landed for, the state of the first day."""
        item = self._items.get(partition(table), STATE)
        return TableState.model_validate(item or {})

    def read_all(self, tables: list[str]) -> dict[str, TableState]:
        """STATE of each of `tables`."""
        found: dict[str, TableState] = {}
        for some in pieces(tables, MOST_GETS):
            keys = {partition(table): table for table in some}
            for item in self._items.get_all([(pk, STATE) for pk in keys]):
                found[keys[item["pk"]]] = TableState.model_validate(item)
        return {table: found.get(table, TableState()) for table in tables}

    def wake(self, table: str, landed_at: int | None = None) -> TableState:
        """Leave work for `table`: whoever holds its lease will look again before letting go."""
        change, values = "add wake :one", {":one": 1}
        if landed_at is not None:
            change += " set pending_since = if_not_exists(pending_since, :since)"
            values[":since"] = landed_at
        return self._changed(self._update(table, change, values))

    def acquire(self, table: str, holder: str, seconds: int) -> TableState | None:
        """Take the lease, or take it again, with a new fence; None if another run holds it.

        Fences and batch numbers begin at the time of day in milliseconds, so that a ledger that was
        lost and made anew does not repeat the ones the warehouse remembers.
        """
        while True:
            state = self.read(table)
            if state.is_held(self.now()) and state.holder != holder:
                self.wake(table)
                return None
            taken = self._update(
                table,
                "set holder = :holder, lease_expires = :expires, fence = :fence",
                {
                    ":holder": holder,
                    ":expires": self.now() + seconds,
                    ":fence": self._next(state.fence),
                    ":now": self.now(),
                    ":seen": state.fence,
                },
                condition="(attribute_not_exists(fence) or fence = :seen) and "
                "(attribute_not_exists(holder) or holder = :holder or lease_expires <= :now)",
            )
            if taken:
                return self._changed(taken)

    def release(self, table: str, fence: int, *, seen_wake: int | None = None) -> bool:
        """Let go of the lease that came with `fence`; tells whether it was still the latest.

        With `seen_wake`, which says that nothing is pending: only if nobody left work since. Then
        what failed on the way was made good, and is forgotten.
        """
        change = "remove holder, lease_expires"
        condition, values = "fence = :fence", {":fence": fence}
        if seen_wake is not None:
            change += f", pending_since, last_error, blocked_by, held_back, {FORGET_FAILURES}"
            condition += " and (attribute_not_exists(wake) or wake = :wake)"
            values[":wake"] = seen_wake
        return self._update(table, change, values, condition=condition) is not None

    def open_batch(
        self, table: str, fence: int, batch: int, plan: str, more_seconds: int = 0
    ) -> bool:
        """Name the plan of the attempt that `fence` allows; False if the lease went to another.

        The lease lasts `more_seconds` longer than it was taken for.
        """
        opened = self._update(
            table,
            "set open_batch = :batch, open_plan = :plan add lease_expires :more "
            "remove blocked_by, held_back",
            {":batch": batch, ":plan": plan, ":fence": fence, ":more": more_seconds},
            condition="fence = :fence",
        )
        return opened is not None

    def next_batch(self, state: TableState) -> int:
        """The number of a new batch."""
        return self._next(max(state.last_batch, state.open_batch or 0))

    def release_deletes(self, table: str) -> None:
        """Let the open batch, if it is held back, delete as many rows as it does."""
        change, values = "set released = open_batch", {":true": True}
        self._update(table, change, values, condition="held_back = :true")

    def close_batch(
        self,
        table: str,
        batch: int,
        outcome: Outcome,
        counts: dict[str, int],
        plan: Plan | None = None,
    ) -> None:
        """Record that the open batch is applied: watermark, counts and its BATCH item, once.

        `counts` has applied_files, quarantined_files and quarantined_rows. If the plan is of a full
        refresh the epoch changes, and files that were counted before are not counted again.
        Whoever comes second, with the same batch, changes nothing.
        """
        pk, state = partition(table), self.read(table)
        new: Item = {
            "last_batch": batch,
            "last_success_at": self.now(),
            "watermark": max(state.watermark or "", outcome.last_position or "") or None,
        }
        of_batch = ("open_batch", "open_plan", "released", "narrow", "set_aside")
        gone = dict.fromkeys((*of_batch, "last_error", "blocked_by", *FAILURES))
        if plan and plan.applied:
            new["applied"] = plan.applied.model_dump(mode="json", by_alias=True)
        counted = plan.counted_before if plan else {}
        more = {name: count - counted.get(name, 0) for name, count in counts.items()}
        record = {
            "pk": pk,
            "sk": batch_key(batch),
            "closed_at": self.now(),
            "expires_at": self.now() + _KEEP_BATCHES,
            **outcome.model_dump(exclude={"error", "message", "narrow"}),
            "fence": outcome.fence or (plan.fence if plan else None),
            **counts,
            "columns_added": plan.columns_added if plan else [],
        }
        records = [record]
        if plan and plan.refresh:
            new |= {"epoch": plan.epoch, "epoch_from": batch}
            new |= {"as_of": plan.refresh.as_of, "taken_at": plan.taken_at}
            gone |= {"refresh": None} if state.refresh == plan.refresh else {}
            records.append(
                {
                    "pk": pk,
                    "sk": REFRESH + plan.refresh.run,
                    "batch": batch,
                    "expires_at": self.now() + _KEEP_REFRESHES,
                }
            )
        closing = self._closing(pk, batch, new | gone, more)
        puts = [self._items.action("Put", Item=pack(record)) for record in records]
        self._items.transact([closing, *puts])

    def fence_of(self, table: str, batch: int) -> int:
        """The fence of the attempt that applied a batch."""
        item = self._items.get(partition(table), batch_key(batch)) or {}
        return int(item.get("fence") or 0)

    def _closing(self, pk: str, batch: int, new: Item, more: dict[str, int]) -> Item:
        """The update that sets `new`, removes what is None in it, and adds `more`."""
        sets = [f"{name} = :{name}" for name, value in new.items() if value is not None]
        removes = [name for name, value in new.items() if value is None]
        adds = [f"{name} :{name}" for name in more]
        return self._items.action(
            "Update",
            Key=pack({"pk": pk, "sk": STATE}),
            ConditionExpression="open_batch = :batch",
            UpdateExpression=f"set {', '.join(sets)} add {', '.join(adds)} "
            f"remove {', '.join(removes)}",
            ExpressionAttributeValues=pack(
                {":batch": batch, **{f":{name}": value for name, value in (new | more).items()}}
            ),
        )

    def record_failure(
        self, table: str, holder: str, error: str, *, explained: bool = True
    ) -> TableState | None:
        """Count a failed attempt; None if another run holds the lease.

        A run that failed before it took the lease counts too, so that it is not lost sight of.
        """
        change = "set last_error = :error, failing_since = if_not_exists(failing_since, :now)"
        values: Item = {":error": error, ":now": self.now(), ":one": 1}
        if explained:
            change += " add attempts :one remove unexplained"
        else:
            change += " add attempts :one, unexplained :one"
        item = self._as_holder(table, holder, change, values)
        return self._changed(item) if item else None

    def postpone(self, table: str, holder: str, retry_at: int) -> None:
        """Let go of the lease, and let no run start by itself before `retry_at`.

        What waits, waits on: the open batch, the refresh that is wanted, and what is pending.
        """
        change = "set retry_at = :at remove holder, lease_expires"
        self._as_holder(table, holder, change, {":at": retry_at})

    def note_narrow(self, table: str, holder: str, narrow: dict[str, int]) -> None:
        """Note the columns, with their bytes, that the open batch has to do with as they are."""
        self._as_holder(table, holder, "set narrow = :narrow", {":narrow": narrow})

    def block(self, table: str, holder: str, error: str) -> None:
        """Mark the table as one that a person must look at, and let go of the lease."""
        change = (
            "set blocked_by = :holder, last_error = :error "
            f"remove holder, lease_expires, {FORGET_FAILURES}"
        )
        self._as_holder(table, holder, change, {":error": error})

    def hold_back(self, table: str, holder: str) -> None:
        """Mark the open batch as one that deletes too much."""
        self._as_holder(table, holder, "set held_back = :true", {":true": True})

    def _as_holder(self, table: str, holder: str, change: str, values: Item) -> Item | None:
        values = {":holder": holder, **values}
        return self._update(table, change, values, condition=NOT_ANOTHERS)

    def _next(self, last: int) -> int:
        return max(last + 1, int(self._clock() * 1000))

    def _changed(self, item: Item | None) -> TableState:
        return TableState.model_validate(item or {})

    def _update(
        self, table: str, change: str, values: Item, *, condition: str | None = None
    ) -> Item | None:
        return self._items.update(partition(table), STATE, change, values, condition=condition)
