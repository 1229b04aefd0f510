"""Takes landed files to merged rows with the steps that touch rows: prepare_chunk and the job."""

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import redshift_connector

from glue_jobs import load_batch
from tests.property.memory import MemoryS3
from tests.unit.samples import LANDED_AT, Workshop
from tidegate.batch.objects import LandedFile
from tidegate.batch.plan import BatchFolder, Outcome, Plan
from tidegate.batch.refresh import Refresh
from tidegate.contract import Contract
from tidegate.planning.placeholders import Attempt
from tidegate.planning.statements import render_load


class Held(NamedTuple):
    """The warehouse's record of a key; `row` is None if it is a tombstone."""

    position: str
    key: tuple[Any, ...]
    row: tuple[Any, ...] | None
    batch: int


class Pipeline:
    """The services that the steps use."""

    def __init__(self, secret: dict[str, str], s3: MemoryS3) -> None:
        self.shop = Workshop(s3)
        self.secret = secret
        self.reader = load_batch.connect(secret, "a test")
        self.reader.autocommit = True
        self._numbers = itertools.count(1)

    def new_name(self) -> str:
        """Return the name of a table that does not exist."""
        return f"sales.orders_{next(self._numbers)}"

    def forget(self) -> None:
        """Drop all tables and delete all objects; new_name() then starts again from 1.

        DuckDB's statements slow down as the number of tables grows. With the same names, the
        warehouse also need not parse an example's statements again.
        """
        self._numbers = itertools.count(1)
        for schema in ("sales", "tidegate"):
            self.reader.cursor().execute(f"drop schema if exists {schema} cascade")
        self.shop.s3.clear()

    @contextmanager
    def session(self) -> Iterator[redshift_connector.Connection]:
        """Open a connection that is not the job's."""
        with closing(load_batch.connect(self.secret, "a test")) as connection:
            yield connection


class Reports(load_batch.Objects):
    """The job's documents in S3, with the document that one run wrote to each URL."""

    def __init__(self, s3: Any) -> None:
        super().__init__(s3)
        self.written: dict[str, Any] = {}

    def write(self, url: str, document: Any) -> None:
        super().write(url, document)
        self.written[url] = document


class Table:
    """One target and the batches that load it."""

    def __init__(self, pipeline: Pipeline, contract: Contract) -> None:
        self.pipeline = pipeline
        self.contract = contract
        self._control = f'tidegate."{contract.table.replace(".", "__")}__'

    def land(self, path: str, content: bytes, landed_at: int = LANDED_AT) -> LandedFile:
        """Put a file under the prefix of the table; the same content again changes nothing."""
        key = self.contract.source.prefix + path
        return self.pipeline.shop.land(key, content, self.contract, landed_at)

    def plan(
        self,
        batch: int,
        fence: int,
        chunks: list[list[LandedFile]],
        *,
        epoch: int = 1,
        as_of: str | None = None,
        refreshes: bool = False,
        taken_at: int = 0,
        force: bool = False,
    ) -> Plan:
        """The plan of one attempt at a batch; one that `refreshes` opens the epoch it is given."""
        url, folder = self.pipeline.shop.work.url, BatchFolder(self.contract.table, batch, fence)
        attempt = Attempt(
            batch=batch,
            fence=fence,
            copy_role="default",
            manifest=url(folder.manifest),
            chunks=[url(folder.prepared(number)) for number in range(len(chunks))],
            outcome=url(folder.outcome),
            epoch=epoch,
            refreshes=refreshes,
            taken_at=taken_at,
            force=force,
        )
        return Plan(
            table=self.contract.table,
            batch=batch,
            fence=fence,
            epoch=epoch,
            as_of=as_of,
            refresh=Refresh(run="a test", as_of=as_of, force=force) if refreshes else None,
            taken_at=taken_at,
            contract=self.contract.as_written(),
            chunks=chunks,
            load=render_load(self.contract, attempt),
        )

    def prepare(self, plan: Plan) -> None:
        """Write the plan, and run prepare_chunk for its chunks."""
        folder = BatchFolder(plan.table, plan.batch, plan.fence)
        self.pipeline.shop.work.write(folder.plan, plan)
        for number in range(len(plan.chunks)):
            self.pipeline.shop.prepare_chunk(folder.plan, number)

    def run_job(self, plan: Plan) -> Outcome:
        """Run the job; give what this run reports, even if another one of the plan reports too."""
        work = self.pipeline.shop.work
        folder = BatchFolder(plan.table, plan.batch, plan.fence)
        objects = Reports(self.pipeline.shop.s3)
        load_batch.run_plan(work.url(folder.plan), lambda: self.pipeline.secret, objects)
        return Outcome.model_validate(objects.written[work.url(folder.outcome)])

    def load(self, plan: Plan) -> Outcome:
        """Prepare the plan's chunks and run the job."""
        self.prepare(plan)
        return self.run_job(plan)

    def held(self, *columns: str) -> list[Held]:
        """What the target and its tombstones hold, oldest position first."""
        key, own = self.contract.key, ("_position", "_batch")
        live = self._select([*key, *own, *columns], self.contract.table)
        dead = self._tombstones(*key, *own)
        width = len(key)
        held = [Held(row[width], row[:width], row[width + 2 :], row[width + 1]) for row in live]
        held += [Held(position, tuple(names), None, batch) for *names, position, batch in dead]
        return sorted(held, key=lambda one: one.position.encode())

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        """What the target holds; nothing before the first batch made it."""
        return self._select(list(columns), self.contract.table)

    def buried(self) -> list[tuple[Any, ...]]:
        """The keys that tombstones stand for."""
        return sorted(self._tombstones(*self.contract.key))

    def _tombstones(self, *columns: str) -> list[tuple[Any, ...]]:
        return self._select(list(columns), f'{self._control}tombstones"')

    def batches(self) -> list[dict[str, Any]]:
        """The records of the batches, by their numbers."""
        columns = ["batch", *load_batch.POSITIONS, *load_batch.COUNTS]
        records = self._select(columns, f'{self._control}batches"')
        return [dict(zip(columns, record, strict=True)) for record in sorted(records)]

    def _select(self, columns: list[str], source: str) -> list[tuple[Any, ...]]:
        names = ", ".join(f'"{name}"' for name in columns)
        cursor = self.pipeline.reader.cursor().execute(f"select {names} from {source}")
        return [tuple(row) for row in cursor.fetchall()]
