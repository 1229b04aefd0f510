"""The batch of a full refresh: the newest snapshot, and the changes that are newer than it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tidegate.batch.applied import begins_anew
from tidegate.batch.objects import LandedFile
from tidegate.batch.plan import OpenBatch
from tidegate.batch.refresh import Refresh
from tidegate.contract import Contract
from tidegate.errors import RefreshRefusedError
from tidegate.ledger import FileHistory, FileLedger, TableState
from tidegate.planning.as_of import refuse_unlike, time_of
from tidegate.planning.cut import Limits, cut_batch
from tidegate.planning.snapshots import Snapshots
from tidegate.position import CHANGE

_DAY = 86_400  # seconds; the clocks of source and S3 are never farther apart


@dataclass(frozen=True, slots=True)
class PlanRefresh:
    """Finds the files of a full refresh."""

    snapshots: Snapshots
    files: FileLedger
    history: FileHistory
    limits: Limits = field(default_factory=Limits)

    def __call__(self, contract: Contract, state: TableState, refresh: Refresh) -> OpenBatch:
        """The batch that `refresh` asks for, in an epoch of its own.

        Raises:
            RefreshRefusedError: there is no snapshot, or more than one, or `as_of` cannot be its.
        """
        snapshot = self.snapshots.newest(contract, refresh.snapshot_prefix)
        if refresh.as_of and not refresh.force:
            _refuse_as_of(refresh.as_of, contract, snapshot, state)
        landed_at = min(file.landed_at for file in snapshot)
        if contract.write == "replace":
            snapshot = self._as_of_now(contract, snapshot)
        taken_at = min(file.landed_at for file in snapshot)
        files = [*snapshot, *self._changes(contract, snapshot, refresh.as_of)]
        return OpenBatch(
            # A ledger that was lost and made anew does not repeat the epochs that rows stand in.
            epoch=max(state.epoch + 1, taken_at // _DAY),
            chunks=cut_batch(files, replace(self.limits, batch_chunks=None)),
            as_of=refresh.as_of,
            refresh=refresh,
            taken_at=taken_at,
            moved_by=taken_at - landed_at,
            counted_before=self.history.counts(contract.table, files),
        )

    def _as_of_now(self, contract: Contract, snapshot: list[LandedFile]) -> list[LandedFile]:
        """The snapshot as if it had landed after all that did: nothing of that counts any more.

        Who asks for an older file of a replaced table does not want the newer ones.
        """
        waiting = {file.id: file for file in self.files.pending(contract.table)}
        waited = (file.landed_at for file in waiting.values())
        last = max(self.snapshots.last_landed_at(contract), *waited, 0)
        # One that waits is known by the time that its event told, which may be another one.
        known = (waiting.get(file.id, file) for file in snapshot)
        return [file.model_copy(update={"landed_at": last + 1}) for file in known]

    def _changes(
        self, contract: Contract, snapshot: list[LandedFile], as_of: str | None
    ) -> Iterator[LandedFile]:
        """The applied changes that the snapshot may lack: without them readers went back in time.

        With `as_of` each change is looked at, so that files that landed too early do no harm; if it
        is no time, nothing tells when what came after it landed.
        """
        since = min(file.landed_at for file in snapshot)
        if as_of:
            known = time_of(as_of, contract)
            since = 0 if known is None else min(since, known) - _DAY
        applied = self.history.applied(contract.table, since, CHANGE)
        for file in sorted(applied, key=lambda file: file.order):
            yield file.as_landed()


def _refuse_as_of(
    as_of: str, contract: Contract, snapshot: list[LandedFile], state: TableState
) -> None:
    goes_on = state.applied and not begins_anew(contract, state.applied, state.watermark)
    refuse_unlike(as_of, contract, state.watermark if goes_on else None)
    known, last = time_of(as_of, contract), max(file.landed_at for file in snapshot)
    if known is not None and known > last + _DAY:
        raise RefreshRefusedError(
            f"{contract.table}: as_of {as_of!r} is more than a day after the snapshot landed, "
            "which cannot hold the changes up to then; nothing was changed"
        )
