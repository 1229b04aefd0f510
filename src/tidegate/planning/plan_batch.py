"""The step plan_batch: take the lease, cut a batch from what waits, write its plan."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from tidegate.contract import Contract
from tidegate.errors import LeaseLostError
from tidegate.landing.objects import LandedFile
from tidegate.ledger import FileLedger, StateLedger, TableState
from tidegate.planning.cut import Limits, cut_batch
from tidegate.planning.places import Attempt
from tidegate.planning.plan import BatchFolder, OpenBatch, Plan
from tidegate.planning.request import read_request
from tidegate.planning.statements import render_load
from tidegate.storage import WorkBucket

MOST_ROUNDS = 40  # a standard execution ends at 25,000 events; a batch of 20 chunks makes about 200
Chunks = list[list[LandedFile]]


class Planned(BaseModel):
    """What the state machine goes on with; `plan` is the plan's key in the work bucket."""

    action: Literal["load", "done", "leave"]
    rounds: int
    table: str
    plan: str = ""
    plan_url: str = ""
    chunks: list[int] = []


@dataclass(frozen=True, slots=True)
class PlanBatch:
    """Plans one batch; a batch that was planned and never closed is planned again, as it was."""

    contracts: Sequence[Contract]
    files: FileLedger
    states: StateLedger
    work: WorkBucket
    copy_role: str
    lease_seconds: int
    limits: Limits = field(default_factory=Limits)

    def __call__(self, request: Any, execution: str, rounds: int) -> Planned:  # noqa: ANN401
        """Plan the next batch for the table that `request` names, on behalf of `execution`.

        Raises:
            InvalidInputError: the request does not validate.
            LeaseLostError: another run took the lease meanwhile.
        """
        contract = read_request(request, self.contracts)
        state = self.states.acquire(contract.table, execution, self.lease_seconds)
        if state is None:
            return Planned(action="leave", rounds=rounds, table=contract.table)
        if rounds >= MOST_ROUNDS:
            # The next sweep starts another run, with a history of its own.
            self.states.release(contract.table, state.fence)
            return Planned(action="leave", rounds=rounds, table=contract.table)
        return self._plan_or_let_go(contract, state, rounds)

    def _plan_or_let_go(self, contract: Contract, state: TableState, rounds: int) -> Planned:
        table, fence = contract.table, state.fence
        while True:
            batch, chunks = self._batch(table, state)
            if chunks:
                return self._write_plan(contract, state, batch, chunks, rounds)
            if self.states.release(table, fence, seen_wake=state.wake):
                return Planned(action="done", rounds=rounds, table=table)
            state = self.states.read(table)
            if state.fence != fence:
                raise LeaseLostError(f"{table}: another run took the lease; this one ends")

    def _batch(self, table: str, state: TableState) -> tuple[int, Chunks]:
        if state.open_batch and state.open_plan:
            # Its plan may have expired by now. Its number must not be used for other files then:
            # the warehouse would take them for applied.
            found = self.work.find(state.open_plan, OpenBatch)
            if found:
                return state.open_batch, found.chunks
        return self.states.next_batch(state), cut_batch(self.files.pending(table), self.limits)

    def _write_plan(
        self, contract: Contract, state: TableState, batch: int, chunks: Chunks, rounds: int
    ) -> Planned:
        folder = BatchFolder(contract.table, batch, state.fence)
        numbers = list(range(len(chunks)))
        attempt = Attempt(
            batch=batch,
            fence=state.fence,
            copy_role=self.copy_role,
            manifest=self.work.url(folder.manifest),
            chunks=[self.work.url(folder.prepared(number)) for number in numbers],
            outcome=self.work.url(folder.outcome),
        )
        plan = Plan(
            table=contract.table,
            batch=batch,
            fence=state.fence,
            epoch=state.epoch,
            contract=contract.as_written(),
            chunks=chunks,
            load=render_load(contract, attempt),
        )
        self.work.write(folder.plan, plan)
        if not self.states.open_batch(contract.table, state.fence, batch, folder.plan):
            raise LeaseLostError(f"{contract.table}: another run took the lease; this one ends")
        return Planned(
            action="load",
            rounds=rounds + 1,
            table=contract.table,
            plan=folder.plan,
            plan_url=self.work.url(folder.plan),
            chunks=numbers,
        )
