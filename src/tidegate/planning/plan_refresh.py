"""Plans the batch of a full refresh: the newest snapshot, and the changes that are newer."""

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

_DAY = 86_400  # seconds; Tidegate assumes that the clocks of source and S3 differ by less


@dataclass(frozen=True, slots=True)
class PlanRefresh:
    """Finds the files of a full refresh."""

    snapshots: Snapshots
    files: FileLedger
    history: FileHistory
    limits: Limits = field(default_factory=Limits)

    def __call__(self, contract: Contract, state: TableState, refresh: Refresh) -> OpenBatch:
        """Return the batch for `refresh`, in a new epoch.

        Raises:
            RefreshRefusedError: there is no snapshot, there are several, or `as_of` does not fit.
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
            # A ledger that was lost and created anew must not repeat the epochs of loaded rows.
            epoch=max(state.epoch + 1, taken_at // _DAY),
            chunks=cut_batch(files, replace(self.limits, batch_chunks=None)),
            as_of=refresh.as_of,
            refresh=refresh,
            taken_at=taken_at,
            moved_by=taken_at - landed_at,
            counted_before=self.history.counts(contract.table, files),
        )

    def _as_of_now(self, contract: Contract, snapshot: list[LandedFile]) -> list[LandedFile]:
        """Return the snapshot as if it had landed last, so that no other file counts.

        If you refresh a `replace` table with an older file, you do not want the newer ones.
        """
        waiting = {file.id: file for file in self.files.pending(contract.table)}
        waited = (file.landed_at for file in waiting.values())
        last = max(self.snapshots.last_landed_at(contract), *waited, 0)
        # A pending file keeps the time of its event, which may differ from the listing's.
        known = (waiting.get(file.id, file) for file in snapshot)
        return [file.model_copy(update={"landed_at": last + 1}) for file in known]

    def _changes(
        self, contract: Contract, snapshot: list[LandedFile], as_of: str | None
    ) -> Iterator[LandedFile]:
        """Yield the applied changes that the snapshot may lack. Without them rows would go back.

        Without `as_of` these are the files that landed since the snapshot. With `as_of` Tidegate
        compares each change, so files that landed too early do no harm. If `as_of` is not a time,
        it takes every applied file, because nothing tells when the later changes landed.
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
            f"{contract.table}: as_of {as_of!r} is more than a day after the snapshot landed, so "
            "the snapshot cannot hold the changes up to it; correct as_of; nothing was changed"
        )
