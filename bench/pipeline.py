"""Tidegate at the same job: prepare_chunk and load_batch against a local stack."""

import contextlib
import io
import os
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import boto3
import redshift_connector

from bench.job import Row
from glue_jobs import load_batch
from tidegate.batch.objects import LandedFile, LandedObject
from tidegate.batch.plan import BatchFolder, Plan
from tidegate.contract import read_contracts
from tidegate.landing.routing import place
from tidegate.ledger import FileLedger, LedgerTable
from tidegate.planning.placeholders import Attempt
from tidegate.planning.statements import render_load
from tidegate.preparing.database import Database
from tidegate.preparing.prepare_chunk import PrepareChunk
from tidegate.storage.work_bucket import WorkBucket

TABLES = Path(__file__).parent / "tables"
_MEMORY = 1_800 << 20  # bytes; DuckDB's share in a prepare_chunk of 3,008 MB
_LANDING = "TIDEGATE_LANDING_BUCKET"
_LOOK_EVERY = 0.02  # seconds
_UNWATCHED = "by-hand/"  # no contract has this prefix, so the stack does not load the files itself


class Pipeline:
    """Runs the steps that touch rows in the same way as the deployed functions and the job."""

    def __init__(self) -> None:
        contracts = {contract.table: contract for contract in read_contracts(TABLES)}
        self._contract = contracts["bench.accounts"]
        self._s3 = boto3.client("s3")
        self._work = WorkBucket(self._s3, os.environ["TIDEGATE_WORK_BUCKET"])
        database = Database(_MEMORY)
        self._prepare = PrepareChunk(self._s3, os.environ[_LANDING], self._work, database)
        ledger = LedgerTable(boto3.client("dynamodb"), os.environ["TIDEGATE_LEDGER_TABLE"])
        self._files = FileLedger(ledger)
        self._secret = read_secret()
        self._numbers = count(1)
        self._landed: dict[Path, LandedFile] = {}

    def land(self, paths: list[Path]) -> None:
        """Put files into the landing bucket, and wait until the stack has registered them."""
        for path in paths:
            self._landed[path] = self._land(path)
        while self._files.count_unrouted() < len(self._landed):
            time.sleep(_LOOK_EVERY)

    def load(self, path: Path) -> float:
        """Load a landed file; return the seconds of prepare, COPY, merge and batch record."""
        plan = self._plan(self._landed[path])
        started = time.perf_counter()
        self._prepare(plan, 0)
        with contextlib.redirect_stdout(io.StringIO()):
            objects = load_batch.Objects(self._s3)
            load_batch.run_plan(self._work.url(plan), lambda: self._secret, objects)
        return time.perf_counter() - started

    def keep_base(self) -> None:
        """Keep a copy of the table for `reset`."""
        self._run("create table bench.base as select * from bench.accounts")

    def reset(self) -> None:
        """Restore the table to its state at `keep_base`, and remove later batch records."""
        self._run(
            "truncate bench.accounts",
            "insert into bench.accounts select * from bench.base",
            "truncate tidegate.bench__accounts__tombstones",
            "delete from tidegate.bench__accounts__batches where last_position like '000001 1%'",
        )

    def rows(self) -> list[Row]:
        """All rows, ordered by key, without the metadata columns."""
        columns = ", ".join(column.name for column in self._contract.columns)
        with self._cursor() as cursor:
            cursor.execute(f"select {columns} from bench.accounts order by id")
            return [tuple(row) for row in cursor.fetchall()]

    def _land(self, path: Path) -> LandedFile:
        key = _UNWATCHED + path.name
        with path.open("rb") as body:
            etag = self._s3.put_object(Bucket=os.environ[_LANDING], Key=key, Body=body)["ETag"]
        size = path.stat().st_size
        landed = LandedObject(key=key, etag=etag.strip('"'), size=size, landed_at=int(time.time()))
        return place(landed, self._contract.route)

    def _plan(self, file: LandedFile) -> str:
        number = next(self._numbers)
        folder = BatchFolder(self._contract.table, number, number)
        attempt = Attempt(
            batch=number,
            fence=number,
            copy_role="default",
            manifest=self._work.url(folder.manifest),
            chunks=[self._work.url(folder.prepared(0))],
            outcome=self._work.url(folder.outcome),
        )
        plan = Plan(
            table=self._contract.table,
            batch=number,
            fence=number,
            epoch=1,
            contract=self._contract.as_written(),
            chunks=[[file]],
            load=render_load(self._contract, attempt),
        )
        self._work.write(folder.plan, plan)
        return folder.plan

    def _run(self, *statements: str) -> None:
        with self._cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[redshift_connector.Cursor]:
        with contextlib.closing(load_batch.connect(self._secret, "bench")) as connection:
            connection.autocommit = True
            yield connection.cursor()


def read_secret() -> dict[str, str]:
    """The connection secret, from the environment that `tidegate local env` prints."""
    names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE"}
    names |= {"username": "PGUSER", "password": "PGPASSWORD"}
    return {key: os.environ[name] for key, name in names.items()}
