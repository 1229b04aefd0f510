"""The step prepare_chunk: turns a chunk of a plan into a Parquet file and its quarantined rows."""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from boto3.s3.transfer import TransferConfig

from tidegate.batch.objects import LandedFile
from tidegate.batch.plan import BatchFolder, Death, Plan, PreparedChunk, PreparedFile
from tidegate.preparing.chunk import Chunk
from tidegate.preparing.database import Database
from tidegate.preparing.deaths import death_of
from tidegate.preparing.download import LocalFile, download
from tidegate.storage.work_bucket import WorkBucket

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


# A multipart upload of a chunk takes four calls or more, and is not faster from a function:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
_AT_ONCE = TransferConfig(multipart_threshold=128 << 20)


@dataclass(frozen=True, slots=True)
class PrepareChunk:
    """Prepares chunks, one after the other, in one DuckDB."""

    s3: "S3Client"
    landing_bucket: str
    work: WorkBucket
    database: Database

    def __call__(self, plan_key: str, number: int) -> PreparedChunk:
        """Prepare chunk `number` of the plan; the same call again writes the same objects."""
        plan = self.work.read(plan_key, Plan)
        folder = BatchFolder(plan.table, plan.batch, plan.fence)
        with tempfile.TemporaryDirectory(prefix="tidegate-chunk-") as scratch:
            prepared = self._prepare(plan, number, folder, Path(scratch))
        self.work.write(folder.prepared(number), prepared)
        return prepared

    def note_death(self, plan_key: str, number: int, error: str, cause: str) -> Death | None:
        """Note that prepare_chunk died of `error`, if the files of the chunk may be at fault."""
        death = death_of(number, error, cause)
        if death:
            self.work.write(BatchFolder.death(plan_key, number), death)
        return death

    def _prepare(self, plan: Plan, number: int, keys: BatchFolder, scratch: Path) -> PreparedChunk:
        files = plan.chunks[number]
        contract = plan.read_contract()
        to_read = [file for file in files if file.id not in plan.set_aside]
        local = list(download(self.s3, self.landing_bucket, to_read, scratch, contract.source))
        since = {name: time + plan.moved_by for name, time in plan.since.items()}
        with self.database.connect() as connection:
            chunk = Chunk(contract, plan.epoch, connection, plan.as_of, plan.taken_at, since)
            chunk.read(local)
            became = [*_became(chunk, local), *_set_aside(files, plan.set_aside)]
            prepared = PreparedChunk(files=became, unread=chunk.unread())
            if any(file.refused for file in became):
                refused = self._write_refused(chunk, keys.refused(number), scratch)
                prepared = prepared.model_copy(update={"refused": refused})
            return self._write_rows(prepared, chunk, keys.parquet(number), scratch)

    def _write_refused(self, chunk: Chunk, key: str, scratch: Path) -> str:
        refused = scratch / "refused.jsonl"
        chunk.write_refused(refused)
        self._upload(refused, key)
        return key

    def _write_rows(
        self, prepared: PreparedChunk, chunk: Chunk, key: str, scratch: Path
    ) -> PreparedChunk:
        parquet = scratch / "newest.parquet"
        rows, first, last = chunk.write_changes(parquet)
        if not rows:
            return prepared
        self._upload(parquet, key)
        return PreparedChunk(
            files=prepared.files,
            refused=prepared.refused,
            unread=prepared.unread,
            widths=chunk.widths(parquet),
            rows=rows,
            first_position=first,
            last_position=last,
            parquet=self.work.url(key),
            size=parquet.stat().st_size,
        )

    def _upload(self, path: Path, key: str) -> None:
        self.s3.upload_file(str(path), self.work.name, key, Config=_AT_ONCE)


def _became(chunk: Chunk, local: Iterable[LocalFile]) -> Iterable[PreparedFile]:
    counts = chunk.counts()
    for one in local:
        file: LandedFile = one.file
        records, refused = counts.get(str(one.path), (0, 0))
        reason = chunk.quarantined.get(file.id)
        yield PreparedFile(id=file.id, records=records, refused=refused, quarantined=reason)


def _set_aside(files: Iterable[LandedFile], reasons: Mapping[str, str]) -> Iterable[PreparedFile]:
    for file in files:
        if file.id in reasons:
            yield PreparedFile(id=file.id, quarantined=reasons[file.id])
