"""Contracts, landed files and a workshop to prepare them in, for tests to say only what matters."""

import itertools
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import duckdb

from tidegate.batch.applied import applied_contract
from tidegate.batch.objects import LandedFile, LandedObject
from tidegate.batch.plan import BatchFolder, Plan, PreparedChunk, PreparedFile
from tidegate.contract import Contract
from tidegate.landing.routing import place
from tidegate.ledger import LedgerTable
from tidegate.local.cloud.tables import patch_transactions
from tidegate.planning.column_names import ReadNames
from tidegate.planning.placeholders import Attempt
from tidegate.planning.schema_drift import Evolve
from tidegate.planning.statements import render_load
from tidegate.preparing.database import Database
from tidegate.preparing.prepare_chunk import PrepareChunk
from tidegate.storage.work_bucket import WorkBucket

PREFIX = "dms/sales/orders/"
CHANGES = PREFIX + "20240809-192717787.csv"
SNAPSHOT = PREFIX + "LOAD00000001.csv"
MEMORY = 256 << 20
_numbers = itertools.count()


def contract(
    columns: dict[str, str] | None = None,
    *,
    table: str = "sales.orders",
    key: tuple[str, ...] = ("id",),
    prefix: str = PREFIX,
    options: dict[str, Any] | None = None,
    fields: list[str] | None = None,
    operations: dict[str, str] | None = None,
    written_as: str = "dms_csv",
    **more: Any,
) -> Contract:
    """A contract of `columns`, name to type, as if read from YAML."""
    columns = columns or {"id": "integer", "name": "varchar(20)"}
    source = {"prefix": prefix, "format": written_as, "options": options or {}}
    return Contract.model_validate(
        {
            "table": table,
            "source": source
            | ({"fields": fields} if fields else {})
            | ({"operations": operations} if operations else {}),
            "key": list(key),
            "columns": [{"name": name, "type": type_} for name, type_ in columns.items()],
            **more,
        }
    )


def parquet(query: str, *options: str) -> bytes:
    """What `query` selects, as a Parquet file."""
    with tempfile.TemporaryDirectory() as scratch, duckdb.connect() as connection:
        path = Path(scratch, "written.parquet")
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            f"copy ({query}) to '{path}' ({', '.join(['format parquet', *options])})"
        )
        return path.read_bytes()


LANDED_AT = 1_723_231_637


def landed_object(key: str = CHANGES, **more: Any) -> LandedObject:
    return LandedObject(**{"key": key, "etag": "e1", "size": 10, "landed_at": LANDED_AT} | more)


def landed(key: str = CHANGES, *, of: Contract | None = None, **more: Any) -> LandedFile:
    return place(landed_object(key, **more), (of or contract()).route)


def plan(of: Contract, chunks: list[list[LandedFile]], *, batch: int = 7, fence: int = 3) -> Plan:
    attempt = Attempt(
        batch=batch, fence=fence, copy_role="default", manifest="s3://w/m", chunks=[], outcome=""
    )
    return Plan(
        table=of.table,
        batch=batch,
        fence=fence,
        epoch=1,
        contract=of.as_written(),
        chunks=chunks,
        load=render_load(of, attempt),
    )


@dataclass
class Prepared:
    """What became of files: rows as COPY would see them, what was refused, what was set apart."""

    chunk: PreparedChunk
    rows: list[dict[str, Any]] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, PreparedFile] = field(default_factory=dict)

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(refusal["record"], refusal["reason"]) for refusal in self.refused]

    @property
    def quarantined(self) -> dict[str, str]:
        return {key: file.quarantined for key, file in self.files.items() if file.quarantined}


class Workshop:
    """Lands files in a bucket, runs prepare_chunk over them, and reads what it wrote."""

    def __init__(self, s3: Any = None) -> None:
        number = next(_numbers)
        self.s3 = s3 or boto3.client("s3")
        self.landing, self.work = f"landing-{number}", WorkBucket(self.s3, f"work-{number}")
        for bucket in (self.landing, self.work.name):
            self.s3.create_bucket(Bucket=bucket)
        database = Database(MEMORY)
        self.prepare_chunk = PrepareChunk(self.s3, self.landing, self.work, database)
        self.evolve = Evolve(ReadNames(self.s3, self.landing, database))

    def land(
        self, key: str, content: bytes, of: Contract, landed_at: int = LANDED_AT
    ) -> LandedFile:
        put = self.s3.put_object(Bucket=self.landing, Key=key, Body=content)
        told = {"etag": put["ETag"].strip('"'), "version": put.get("VersionId")}
        return landed(key, of=of, size=len(content), landed_at=landed_at, **told)

    def prepare(
        self,
        of: Contract,
        files: dict[str, bytes] | list[LandedFile],
        as_of: str | None = None,
        taken_at: int = 0,
        since: dict[str, int] | None = None,
        moved_by: int = 0,
    ) -> Prepared:
        if isinstance(files, dict):
            files = [self.land(key, content, of) for key, content in files.items()]
        applied = applied_contract(of, [], since=since)
        told = {"as_of": as_of, "taken_at": taken_at, "applied": applied, "moved_by": moved_by}
        planned = plan(of, [files]).model_copy(update=told)
        folder = BatchFolder(of.table, planned.batch, planned.fence)
        self.work.write(folder.plan, planned)
        chunk = self.prepare_chunk(folder.plan, 0)
        assert self.work.read(folder.prepared(0), PreparedChunk) == chunk
        names = {file.id: file.key for file in files}
        return Prepared(
            chunk=chunk,
            **self._read(chunk, folder),
            refused=self._refused(chunk),
            files={names[file.id]: file for file in chunk.files},
        )

    def _read(self, chunk: PreparedChunk, folder: BatchFolder) -> dict[str, Any]:
        if chunk.parquet is None:
            return {}
        assert chunk.parquet == self.work.url(folder.parquet(0))
        with tempfile.TemporaryDirectory() as scratch, duckdb.connect() as connection:
            path = f"{scratch}/chunk.parquet"
            written = self.s3.get_object(Bucket=self.work.name, Key=folder.parquet(0))
            Path(path).write_bytes(written["Body"].read())
            connection.execute("set TimeZone = 'UTC'")
            found = connection.execute("select * from read_parquet(?) order by _position", [path])
            types = {name: str(type_) for name, type_, *_ in found.description or []}
            rows = [dict(zip(types, row, strict=True)) for row in found.fetchall()]
            return {"rows": rows, "types": types}

    def _refused(self, chunk: PreparedChunk) -> list[dict[str, Any]]:
        if chunk.refused is None:
            return []
        body = self.s3.get_object(Bucket=self.work.name, Key=chunk.refused)["Body"].read()
        return [json.loads(line) for line in body.splitlines()]


def ledger_table() -> LedgerTable:
    """An empty ledger of its own."""
    patch_transactions()
    client, name = boto3.client("dynamodb"), f"ledger-{next(_numbers)}"
    keys = [("pk", "HASH"), ("sk", "RANGE")]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
    )
    return LedgerTable(client, name)


@dataclass
class Clock:
    """The time of day, as a test wants it."""

    now: float = 1_723_231_640.0

    def __call__(self) -> float:
        return self.now


def items(ledger: LedgerTable) -> list[tuple[str, str]]:
    """The keys of all items."""
    found = ledger.client.scan(TableName=ledger.name)["Items"]
    return sorted((item["pk"]["S"], item["sk"]["S"]) for item in found)
