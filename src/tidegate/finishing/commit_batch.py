"""The step commit_batch: records in the ledger that a batch is applied."""

from dataclasses import dataclass

from tidegate.batch.plan import (
    BatchFolder,
    LoadedBy,
    Outcome,
    Plan,
    PreparedChunk,
    PreparedFile,
)
from tidegate.errors import LoadFailedError
from tidegate.ledger import FileLedger, StateLedger
from tidegate.storage.work_bucket import WorkBucket


@dataclass(frozen=True, slots=True)
class CommitBatch:
    """Marks the files of a batch applied or quarantined, and moves the watermark.

    An earlier attempt may have applied the batch. Then the results of that attempt count: a file
    may be gone by now, or a changed contract may read it differently.
    """

    files: FileLedger
    states: StateLedger
    work: WorkBucket

    def __call__(self, plan_key: str) -> tuple[Plan, Outcome, dict[str, int]]:
        """Record the job's outcome for the plan. Further calls change nothing.

        Returns the plan, the batch record and the counts of files and refused rows.

        Raises:
            LoadFailedError: the job did not report that the batch is applied.
        """
        plan = self.work.read(plan_key, Plan)
        folder = BatchFolder(plan.table, plan.batch, plan.fence)
        outcome = self.work.find(folder.outcome, Outcome)
        if outcome is None or outcome.error:
            raise LoadFailedError(
                f"{plan.table}: the job did not report success for batch {plan.batch}; "
                f"look at {self.work.url(folder.outcome)} and at the job's log"
            )
        attempt = BatchFolder(plan.table, plan.batch, outcome.fence or plan.fence)
        chunks = len(plan.chunks)
        if attempt.plan != plan_key:
            # The earlier attempt may have had another contract and other chunks.
            loaded_by = self.work.read(attempt.plan, LoadedBy)
            chunks = len(loaded_by.chunks)
            plan = plan.model_copy(update={"applied": loaded_by.applied})
        prepared = self._prepared_files(attempt, chunks)
        files = [file for chunk in plan.chunks for file in chunk]
        counts = _count(list(prepared.values()))
        # The files of a closed batch may already have gone on to another batch.
        if self.states.read(plan.table).open_batch == plan.batch:
            again = plan.refresh is not None
            self.files.settle(plan.table, plan.batch, files, prepared, again=again)
            self.states.close_batch(plan.table, plan.batch, outcome, counts, plan)
        return plan, outcome, counts

    def _prepared_files(self, folder: BatchFolder, chunks: int) -> dict[str, PreparedFile]:
        keys = [folder.prepared(number) for number in range(chunks)]
        prepared = [self.work.read(key, PreparedChunk) for key in keys]
        return {file.id: file for chunk in prepared for file in chunk.files}


def _count(files: list[PreparedFile]) -> dict[str, int]:
    quarantined = sum(1 for file in files if file.quarantined)
    return {
        "applied_files": len(files) - quarantined,
        "quarantined_files": quarantined,
        "quarantined_rows": sum(file.refused for file in files),
    }
