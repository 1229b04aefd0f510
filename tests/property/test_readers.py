"""While batches merge, readers of a target never wait and never see half a batch."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from glue_jobs import load_batch
from tests.property.pipeline import Pipeline, Table
from tests.unit.samples import contract

Rows = list[tuple[Any, ...]]
SOON = 10  # seconds; whoever is locked out waits for the job, which waits for the reader
# Folder and content of a file each; the last is late: its changes are older than the second's.
BATCHES = [
    ("2/", "I,2024-08-09 12:00:00,1,Ann\nI,2024-08-09 12:00:00,2,Bob\n"),
    ("5/", "I,2024-08-09 15:00:00,1,Anne\nI,2024-08-09 15:00:00,3,Cid\n"),
    ("3/", "I,2024-08-09 13:00:00,4,Dot\nI,2024-08-09 13:00:00,1,Anna\n"),
]
UPSERTED = [
    [(1, "Ann"), (2, "Bob")],
    [(1, "Anne"), (2, "Bob"), (3, "Cid")],
    [(1, "Anne"), (2, "Bob"), (3, "Cid"), (4, "Dot")],
]
APPENDED = [
    [(1, "Ann"), (2, "Bob")],
    [(1, "Ann"), (1, "Anne"), (2, "Bob"), (3, "Cid")],
    [(1, "Ann"), (1, "Anna"), (1, "Anne"), (2, "Bob"), (3, "Cid"), (4, "Dot")],
]
REPLACED = [[(1, "Ann"), (2, "Bob")], [(1, "Anne"), (3, "Cid")], [(1, "Anne"), (3, "Cid")]]


class Reader:
    """Somebody else's session, which looks at a table when it is told to."""

    def __init__(self, table: str, connection: Any) -> None:
        self.saw: list[Rows] = []
        self._select = f"select id, name from {table} order by id, name"
        self._connection = connection
        self._connection.autocommit = True
        self._pool = ThreadPoolExecutor(1)

    def look(self) -> Rows:
        """What the table holds."""
        try:
            return self._pool.submit(self._read).result(timeout=SOON)
        except TimeoutError:
            pytest.fail("the reader is locked out")

    def _read(self) -> Rows:
        cursor = self._connection.cursor().execute(self._select)
        return [tuple(row) for row in cursor.fetchall()]


@pytest.fixture
def table(pipeline: Pipeline, write: str) -> Table:
    name = pipeline.new_name()
    return Table(
        pipeline,
        contract(
            table=name,
            prefix=f"dms/{name}/",
            options={"timestamp": "at"},
            fields=["at", "id", "name"],
            write=write,
        ),
    )


@pytest.fixture
def reader(pipeline: Pipeline, table: Table, monkeypatch) -> Iterator[Reader]:
    """Looks after each statement of the job's transaction, and notes what it saw."""
    with pipeline.session() as connection:
        reader = Reader(table.contract.table, connection)

        class Watched(load_batch.Warehouse):
            def execute(self, sql, values=()):
                cursor = super().execute(sql, values)
                if not self.connection.autocommit:
                    reader.saw.append(reader.look())
                return cursor

        monkeypatch.setattr(load_batch, "Warehouse", Watched)
        yield reader


@pytest.mark.parametrize(
    ("write", "states"),
    [
        ("upsert", UPSERTED),
        ("soft_delete", UPSERTED),
        ("history", APPENDED),
        ("append", APPENDED),
        ("replace", REPLACED),
    ],
)
def test_reader_sees_the_old_rows_until_the_commit_and_then_the_new(table, reader, states):
    name = "LOAD00000001.csv" if table.contract.write == "replace" else "20240809-1.csv"
    before: Rows = []
    for batch, ((folder, content), after) in enumerate(zip(BATCHES, states, strict=True), start=1):
        reader.saw.clear()
        plan = table.plan(batch, 1, [[table.land(folder + name, content.encode())]])
        table.load(plan)
        merge = (plan.load.merge_empty, plan.load.merge_above_watermark, plan.load.merge_late)
        # Beside the merge: the lock, the look at what is applied, the batch record, and where rows
        # may be deleted, how many there are.
        beside = 4 if plan.load.max_deletes else 3
        assert len(reader.saw) == len(merge[batch - 1]) + beside
        assert [rows for rows in reader.saw if rows != before] == []
        assert reader.look() == after
        before = after


SNAPSHOT = [(2, "Bo"), (3, "Cid")]


@pytest.mark.parametrize(
    ("write", "refreshed"),
    [
        ("upsert", SNAPSHOT),
        ("soft_delete", [(1, "Ann"), *SNAPSHOT]),
        ("history", [(1, "Ann"), (2, "Bo"), (2, "Bob"), (3, "Cid")]),
        ("append", SNAPSHOT),
        ("replace", SNAPSHOT),
    ],
)
def test_reader_sees_the_old_rows_until_a_refresh_commits_and_then_the_new(
    table, reader, refreshed
):
    [(_, content), *_] = BATCHES
    name = "LOAD00000001.csv" if table.contract.write == "replace" else "20240809-1.csv"
    table.load(table.plan(1, 1, [[table.land(name, content.encode())]]))
    before = reader.look()
    reader.saw.clear()
    rows = "".join(f"2024-08-10,{key},{name}\n" for key, name in SNAPSHOT)
    landed = table.land("LOAD00000001.csv", rows.encode())
    plan = table.plan(2, 2, [[landed]], epoch=2, refreshes=True, taken_at=landed.landed_at)
    table.load(plan)
    # Beside the refresh: the lock, the look at what is applied, the batch record, and how many rows
    # there are before and after.
    assert len(reader.saw) == len(plan.load.refresh) + 5
    assert [rows for rows in reader.saw if rows != before] == []
    assert reader.look() == refreshed
