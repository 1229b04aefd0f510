"""The step plan_batch: takes the lease, cuts a batch from the pending files, writes its plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field

from tidegate.batch.applied import (
    applied_contract,
    begins_anew,
    columns_since,
    refuse_incompatible,
)
from tidegate.batch.plan import BatchFolder, OpenBatch, Plan
from tidegate.batch.refresh import Refresh
from tidegate.contract import Contract
from tidegate.contract.widening import keep_narrow
from tidegate.errors import InvalidInputError, LeaseLostError
from tidegate.ledger import FileHistory, FileLedger, RefreshLedger, StateLedger, TableState
from tidegate.planning.cut import Limits, cut_batch
from tidegate.planning.narrowing import narrow, read_deaths, set_aside
from tidegate.planning.placeholders import Attempt
from tidegate.planning.plan_refresh import PlanRefresh
from tidegate.planning.request import RefreshRequest, ReplayRequest, Request, read_request
from tidegate.planning.schema_drift import Evolve
from tidegate.planning.statements import render_load
from tidegate.storage.work_bucket import WorkBucket

MOST_ROUNDS = 40  # a standard execution ends at 25,000 events; a batch of 20 chunks makes about 200
MOST_INLINE = 40  # chunks; a distributed Map prepares more than that, and as many at a time
SECONDS_OF_CHUNKS = 900  # the timeout of prepare_chunk


class Planned(BaseModel):
    """The answer to the state machine; `plan` is the plan's key in the work bucket.

    `columns_added` and `columns_unread` only go to the log: new columns, and the names that cannot
    be columns with the reasons.
    """

    action: Literal["load", "load_many", "done", "wait", "leave"]
    rounds: int
    table: str
    plan: str = ""
    plan_url: str = ""
    chunks: list[int] = []
    columns_added: list[str] = Field(default=[], exclude=True)
    columns_unread: dict[str, str] = Field(default={}, exclude=True)


@dataclass(frozen=True, slots=True)
class PlanBatch:
    """Plans one batch. It plans an open batch again, with the same files, before a new one.

    Pending files are loaded before a requested full refresh, unless only the refresh can help.
    """

    contracts: Mapping[str, Contract]
    files: FileLedger
    history: FileHistory
    states: StateLedger
    refreshes: RefreshLedger
    plan_refresh: PlanRefresh
    evolve: Evolve
    work: WorkBucket
    copy_role: str
    lease_seconds: int
    limits: Limits = field(default_factory=Limits)

    def __call__(self, given: Any, execution: str, rounds: int) -> Planned:  # noqa: ANN401
        """Plan the next batch for the table that `given` names, on behalf of `execution`.

        Raises:
            InvalidInputError: `given`, the input of the execution, is not valid.
            RefreshRefusedError: there is no usable snapshot to refresh the table with.
            ContractError: the contract no longer fits the rows that were loaded.
            LeaseLostError: another run took the lease.
        """
        contract, request = read_request(given, self.contracts)
        waits = self._note(request, execution, rounds)
        state = self.states.acquire(contract.table, execution, self.lease_seconds)
        if state is None:
            action: Literal["wait", "leave"] = "wait" if waits else "leave"
            return Planned(action=action, rounds=max(rounds, 1), table=contract.table)
        if rounds >= MOST_ROUNDS:
            # The next sweep starts another run, with an event history of its own.
            self.states.release(contract.table, state.fence)
            return Planned(action="leave", rounds=rounds, table=contract.table)
        return self._plan_or_let_go(contract, state, rounds)

    def _note(self, request: Request, execution: str, rounds: int) -> bool:
        """Note the request in the ledger, where the holder of the lease sees it.

        Returns whether this run must wait if another run holds the lease.
        """
        if isinstance(request, ReplayRequest):
            if rounds == 0:
                self._repeat(request)
            return False
        if isinstance(request, RefreshRequest):
            refresh = Refresh(run=execution, **request.model_dump(exclude={"table", "mode"}))
            return self.refreshes.want(request.table, refresh)
        if request.force and rounds == 0:
            self.states.release_deletes(request.table)
        return False

    def _repeat(self, request: ReplayRequest) -> None:
        since, until = (int(time.timestamp()) for time in (request.since, request.until))
        if not self.history.repeat(request.table, since, until):
            raise InvalidInputError(
                f"a full refresh of {request.table} is under way; wait for its end (tidegate "
                "status), then start the replay again if you still need it"
            )

    def _plan_or_let_go(self, contract: Contract, state: TableState, rounds: int) -> Planned:
        table, fence = contract.table, state.fence
        while True:
            number, batch = self._batch(contract, state)
            if batch:
                batch = set_aside(batch, state.set_aside)
                return self._write_plan(contract, state, number, batch, rounds)
            if self.states.release(table, fence, seen_wake=state.wake):
                return Planned(action="done", rounds=rounds, table=table)
            state = self.states.read(table)
            if state.fence != fence:
                raise LeaseLostError(f"{table}: another run took the lease; this one ends")

    def _batch(self, contract: Contract, state: TableState) -> tuple[int, OpenBatch | None]:
        found = self._open_batch(state)
        if (
            state.refresh
            and self._is_in_the_way(contract, state)
            and not (found and found[1].refresh)
        ):
            # The refresh comes first: pending files cannot be loaded, are held back, or have
            # another order. Those newer than the snapshot are loaded after it.
            refresh = self.plan_refresh(contract, state, state.refresh)
            return self.states.next_batch(state), refresh
        return found or (self.states.next_batch(state), self._new_batch(contract, state))

    def _open_batch(self, state: TableState) -> tuple[int, OpenBatch] | None:
        if not (state.open_batch and state.open_plan):
            return None
        # The plan may have expired. Then other files must not get the number of the batch: the
        # warehouse could take them for applied.
        found = self.work.find(state.open_plan, OpenBatch)
        if found is None:
            return None
        return state.open_batch, narrow(found, read_deaths(self.work, state.open_plan))

    def _is_in_the_way(self, contract: Contract, state: TableState) -> bool:
        """Tell whether pending files cannot be loaded before the requested refresh."""
        applied, watermark = state.applied, state.watermark
        anew = applied is not None and begins_anew(contract, applied, watermark)
        return state.blocked or state.held_back or anew

    def _new_batch(self, contract: Contract, state: TableState) -> OpenBatch | None:
        # Two snapshots in one batch would look like one snapshot with the rows of both.
        is_small = state.last_batch or self.evolve.reads_whole(contract)
        limits = self.limits if is_small else self.limits.first_load()
        if contract.write == "replace":
            limits = limits.one_file()
        chunks = cut_batch(self.files.pending(contract.table), limits)
        if chunks:
            return OpenBatch(
                epoch=state.epoch, chunks=chunks, as_of=state.as_of, taken_at=state.taken_at
            )
        if state.refresh:
            return self.plan_refresh(contract, state, state.refresh)
        return None

    def _write_plan(
        self, contract: Contract, state: TableState, number: int, batch: OpenBatch, rounds: int
    ) -> Planned:
        folder = BatchFolder(contract.table, number, state.fence)
        chunks = list(range(len(batch.chunks)))
        evolved = self.evolve(
            contract,
            state.applied,
            (file for chunk in batch.chunks for file in chunk if file.id not in batch.set_aside),
        )
        if state.applied:
            refuse_incompatible(
                evolved.contract,
                state.applied,
                state.watermark,
                refreshes=batch.refresh is not None,
                altered=state.blocked,
            )
        contract_now = keep_narrow(evolved.contract, state.narrow)
        attempt = self._attempt(state, number, batch, folder)
        now = self.states.now()
        since = columns_since(evolved.contract, evolved.added, state.applied, now)
        before = None if batch.refresh else state.applied
        plan = Plan(
            table=contract.table,
            batch=number,
            fence=state.fence,
            contract=contract_now.as_written(),
            load=render_load(contract_now, attempt),
            applied=applied_contract(evolved.contract, evolved.columns, before, since),
            columns_added=evolved.added,
            **dict(batch),
        )
        self.work.write(folder.plan, plan)
        longer = SECONDS_OF_CHUNKS * (len(chunks) // MOST_INLINE)
        if not self.states.open_batch(contract.table, state.fence, number, folder.plan, longer):
            raise LeaseLostError(f"{contract.table}: another run took the lease; this one ends")
        return Planned(
            action="load" if len(chunks) <= MOST_INLINE else "load_many",
            rounds=rounds + 1,
            table=contract.table,
            plan=folder.plan,
            plan_url=self.work.url(folder.plan),
            chunks=chunks,
            columns_added=evolved.added,
            columns_unread=evolved.unread,
        )

    def _attempt(
        self, state: TableState, number: int, batch: OpenBatch, folder: BatchFolder
    ) -> Attempt:
        chunks = range(len(batch.chunks))
        return Attempt(
            batch=number,
            fence=state.fence,
            copy_role=self.copy_role,
            manifest=self.work.url(folder.manifest),
            chunks=[self.work.url(folder.prepared(chunk)) for chunk in chunks],
            outcome=self.work.url(folder.outcome),
            epoch=batch.epoch,
            refreshes=batch.refresh is not None,
            taken_at=batch.taken_at,
            force=batch.refresh.force if batch.refresh else state.released == number,
        )
