"""The plan of a batch, and what each step leaves beside it in the work bucket.

A plan is written once and never changed. Every attempt at a batch has a folder of its own, named
by the fence, so that an attempt that lives on by mistake overwrites nothing:

    batches/<schema.table>/<batch>/<fence>/plan.json
                                           chunk-0000.parquet  chunk-0000.json
                                           died/chunk-0000.json
                                           manifest.json  outcome.json
    quarantine/<schema.table>/<batch>/<fence>/chunk-0000.jsonl
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

from tidegate.batch.applied import AppliedContract
from tidegate.batch.objects import LandedFile
from tidegate.batch.refresh import Refresh
from tidegate.contract import Contract


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Statement(_Document):
    """One statement of SQL for Redshift, named after its file in `sql/`.

    `counts` says what of the batch record its number of rows belongs to; with "columns" the one row
    it gives has the counts by their names.
    """

    name: str
    sql: str
    counts: str | None = None


class TargetColumn(_Document):
    """A column as svv_columns must show it, and the statement that adds it where it is missing.

    `table` is schema and name. Length and numbers are None where any will do. `widen` lacks nothing
    but the length in brackets; it is None for a column that keeps the length it has. `add` is None
    for a column that a table cannot do without from its first row on.
    """

    table: tuple[str, str]
    name: str
    data_type: str
    character_maximum_length: int | None
    numeric_precision: int | None
    numeric_scale: int | None
    add: str | None
    widen: str | None


class RefreshFloor(_Document):
    """How many rows a full refresh must make: a number, and a share of those there are."""

    rows: int
    share: float
    told: str
    count_rows: Statement


class DeleteGuard(_Document):
    """How many rows a batch may delete: a number, and a share of those there are.

    Of up to `least_rows` all may be deleted. `is_net`: those that it inserts make up for them.
    """

    rows: int
    share: float
    least_rows: int
    is_net: bool
    told: str
    count_rows: Statement


class Load(_Document):
    """All that the Glue job submits, in the words of `glue_jobs/load_batch.py`.

    `count_batches` is None for a batch that makes the whole table, be it there or not.
    """

    session: list[Statement]
    tables: list[str]
    describe: Statement
    count_batches: Statement | None
    create_target: list[Statement]
    create: list[Statement]
    columns: list[TargetColumn]
    create_stage: Statement
    copy_stage: Statement
    count_staged: Statement
    lock: Statement
    read_progress: Statement
    merge_empty: list[Statement]
    merge_above_watermark: list[Statement]
    merge_late: list[Statement]
    refresh: list[Statement]
    refresh_floor: RefreshFloor | None
    max_deletes: DeleteGuard | None
    write_batch: Statement
    manifest: str
    chunks: list[str]
    outcome: str


class Plan(_Document):
    """What one attempt at one batch will do.

    The snapshot of the epoch was taken at `taken_at`, seconds since 1970. It has the changes up to
    `as_of` already, or, where that is not said, all that landed before it. `refresh` is set where
    the batch is a full refresh; `moved_by` says how many seconds later its files count as landed
    than they did, `counted_before` what the table's counts hold of them.
    `applied` is what the ledger keeps of the contract once the batch is applied; `columns_added`
    are the columns that its files brought. Files in `set_aside` are quarantined unread, by id with
    the reason; `died_alone` says how often a file died that was the only one of its chunk.
    """

    table: str
    batch: int
    fence: int
    epoch: int
    contract: dict[str, Any]
    chunks: list[list[LandedFile]]
    load: Load
    as_of: str | None = None
    refresh: Refresh | None = None
    taken_at: int = 0
    counted_before: dict[str, int] = {}
    moved_by: int = 0
    applied: AppliedContract | None = None
    columns_added: list[str] = []
    set_aside: dict[str, str] = {}
    died_alone: dict[str, int] = {}

    @property
    def since(self) -> dict[str, int]:
        """From when on there are the columns that came later, see AppliedContract."""
        return self.applied.since if self.applied else {}

    def read_contract(self) -> Contract:
        """The contract as it stood when the batch was planned."""
        return Contract.model_validate(self.contract)


class OpenBatch(BaseModel):
    """What is needed of a plan to plan its batch again, be the plan of an earlier Tidegate."""

    epoch: int
    chunks: list[list[LandedFile]]
    as_of: str | None = None
    refresh: Refresh | None = None
    taken_at: int = 0
    counted_before: dict[str, int] = {}
    moved_by: int = 0
    set_aside: dict[str, str] = {}
    died_alone: dict[str, int] = {}


class LoadedBy(BaseModel):
    """What commit_batch asks of the plan that was loaded, be it the plan of an earlier Tidegate."""

    chunks: list[Any]
    applied: AppliedContract | None = None


class Death(_Document):
    """That prepare_chunk died of a chunk, of what error."""

    chunk: int
    error: str
    message: str = ""


class PreparedFile(_Document):
    """What became of one file: its records, those refused, or why all of it was."""

    id: str
    records: int = 0
    refused: int = 0
    quarantined: str | None = None


class PreparedChunk(_Document):
    """What prepare_chunk leaves for the job and for commit_batch; `size` and `widths` in bytes.

    `unread` are the columns that headers name and the contract does not; `widths` says how long the
    texts are that are longer than their columns.
    """

    files: list[PreparedFile]
    rows: int = 0
    first_position: str | None = None
    last_position: str | None = None
    parquet: str | None = None
    size: int = 0
    refused: str | None = None
    unread: list[str] = []
    widths: dict[str, int] = {}


class Outcome(_Document):
    """What the job reports: the batch record as Redshift holds it, or an error and its class.

    `narrow` are the columns that Redshift does not widen, with their bytes.
    """

    error: str | None = None
    message: str | None = None
    narrow: dict[str, int] = {}
    already_applied: bool = False
    fence: int | None = None
    first_position: str | None = None
    last_position: str | None = None
    rows_staged: int = 0
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_deleted: int = 0
    rows_stale: int = 0


class BatchFolder:
    """The keys of one attempt's documents in the work bucket."""

    def __init__(self, table: str, batch: int, fence: int) -> None:
        attempt = f"{table}/{batch:013d}/{fence:013d}"
        self._attempt = f"batches/{attempt}"
        self._quarantine = f"quarantine/{attempt}"

    @property
    def plan(self) -> str:
        """Of the Plan."""
        return f"{self._attempt}/plan.json"

    @property
    def manifest(self) -> str:
        """Of the manifest that COPY reads."""
        return f"{self._attempt}/manifest.json"

    @property
    def outcome(self) -> str:
        """Of the Outcome."""
        return f"{self._attempt}/outcome.json"

    def parquet(self, chunk: int) -> str:
        """Of the rows of a chunk."""
        return f"{self._attempt}/chunk-{chunk:04d}.parquet"

    def prepared(self, chunk: int) -> str:
        """Of the PreparedChunk."""
        return f"{self._attempt}/chunk-{chunk:04d}.json"

    @staticmethod
    def deaths(plan_key: str) -> str:
        """The prefix of the Deaths of the attempt whose plan is at `plan_key`."""
        return f"{plan_key.rpartition('/')[0]}/died/"

    @staticmethod
    def death(plan_key: str, chunk: int) -> str:
        """Of the Death of a chunk of that attempt."""
        return f"{BatchFolder.deaths(plan_key)}chunk-{chunk:04d}.json"

    @property
    def refusals(self) -> str:
        """The prefix of the refused rows of all chunks."""
        return f"{self._quarantine}/"

    def refused(self, chunk: int) -> str:
        """Of the refused rows of a chunk."""
        return f"{self._quarantine}/chunk-{chunk:04d}.jsonl"
