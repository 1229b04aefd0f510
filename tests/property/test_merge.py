"""However a history is split and lands, the target follows it and applies each change once.

TIDEGATE_EXAMPLES=2000 pytest tests/property/test_merge.py tries more, new examples each time.
"""

import os
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glue_jobs.load_batch import COUNTS, LeaseLostError, LoadFailedError
from tests.property.history import COLUMNS, Change, File, Model, Source
from tests.property.pipeline import Pipeline, Table
from tidegate.batch.objects import LandedFile
from tidegate.batch.plan import Outcome

EXAMPLES = os.environ.get("TIDEGATE_EXAMPLES")
LOOKING = settings(
    max_examples=int(EXAMPLES or 15),
    derandomize=not EXAMPLES,
)
# To find the smallest history that fails may take minutes.
LASTING = pytest.mark.timeout(0 if EXAMPLES else 600)

SOURCES = st.builds(
    Source,
    key=st.sampled_from([("number",), ("region",), ("region", "number")]),
    order=st.sampled_from(["lines", "stamped", "numbered", "texts"]),
    header=st.booleans(),
    null=st.sampled_from(["NULL", "\\N", ""]),
)
VERSIONS = st.sampled_from([0, 1, 2, 3, -4, -5, None])
VALUES = {
    "region": st.sampled_from(["a", "a ", "ü'\\"]),
    "number": st.sampled_from([1, -2]),
    "name": st.none()
    | st.sampled_from(["NULL", "\\N", ""])
    | st.text("é ,;\"'\n\r\\%😀", max_size=5),
    "amount": st.sampled_from(["7", "8", "-3", None, "", "x"]),
}
CHANGES = st.builds(Change, operation=st.sampled_from("IUD"), version=VERSIONS, **VALUES)
SNAPSHOT_ROWS = st.builds(
    Change, operation=st.just("I"), version=st.sampled_from([None, 8, 9]), **VALUES
)


def file(changes, *, names, folders, **more):
    return st.builds(
        File,
        folder=st.sampled_from(folders),
        name=st.sampled_from(names),
        changes=st.sampled_from([6, 5, 4, 0]).flatmap(lambda n: st.tuples(*[changes] * n)),
        quoted=st.booleans(),
        **more,
    )


SNAPSHOTS = file(
    SNAPSHOT_ROWS,
    names=["LOAD00000009.csv", "LOAD0000000A.csv", "SEGMENT1_LOAD00000001.csv.gz"],
    folders=["", "2/"],
    operations=st.booleans(),
)
CHANGE_FILES = file(
    CHANGES,
    names=["20240809-235959999.csv", "20240810-000000000.csv.gz", "20240810-000000001.csv"],
    folders=["", "2024/08/09/", "2024/08/10/"],
)
FILES = st.lists(
    CHANGE_FILES | CHANGE_FILES | SNAPSHOTS,
    min_size=4,
    max_size=7,
    unique_by=lambda file: file.path,
)


@dataclass(frozen=True)
class Delivery:
    """A batch: its files by chunk, and what goes wrong before or after it is applied."""

    chunks: list[list[File]]
    accident: str | None


ACCIDENTS = st.sampled_from([None, "dies before commit", "dies after commit", "is late"])


@st.composite
def deliveries(draw, files: list[File]) -> list[Delivery]:
    """Every file once, in any order, alone or with others, and some of them again."""
    batches = []
    for file in draw(st.permutations(files)):
        place = (
            draw(st.sampled_from(["batch", "batch", "batch", "chunk", "beside"]))
            if batches
            else "batch"
        )
        if place == "batch":
            batches.append(Delivery([[]], draw(ACCIDENTS)))
        if place == "chunk":
            batches[-1].chunks.append([])
        batches[-1].chunks[-1].append(file)
    for file in draw(st.lists(st.sampled_from(files), max_size=3)):
        draw(st.sampled_from(batches)).chunks.append([file])
    return batches


class Follower:
    """A table beside its model; every step ends with a look whether they are equal."""

    def __init__(self, pipeline: Pipeline, source: Source) -> None:
        self.table = Table(pipeline, source.contract(pipeline.new_name()))
        self.model = Model(source)
        self.batch = 0
        self.fence = 0

    def take(self, delivery: Delivery) -> None:
        self.batch += 1
        chunks = [[self.land(file) for file in chunk] for chunk in delivery.chunks]
        if delivery.accident == "dies before commit":
            self.die_before_commit(chunks)
        if delivery.accident == "is late":
            self.come_after_a_later_run(chunks)
        outcome = self.attempt(chunks)
        self.model.apply(self.batch, delivery.chunks)
        assert not outcome.already_applied
        self.compare(outcome)
        if delivery.accident == "dies after commit":
            again = self.attempt(chunks)
            assert again.already_applied
            self.compare(again)

    def land(self, file: File) -> LandedFile:
        return self.table.land(file.path, file.content(self.model.source))

    def attempt(self, chunks: list[list[LandedFile]]) -> Outcome:
        self.fence += 1
        return self.table.load(self.table.plan(self.batch, self.fence, chunks))

    def die_before_commit(self, chunks: list[list[LandedFile]]) -> None:
        """A run whose last statement fails."""
        self.fence += 1
        plan = self.table.plan(self.batch, self.fence, chunks)
        record = plan.load.write_batch.model_copy(
            update={"sql": f"{plan.load.write_batch.sql} and no more"}
        )
        load = plan.load.model_copy(update={"write_batch": record})
        with pytest.raises(LoadFailedError):
            self.table.load(plan.model_copy(update={"load": load}))
        self.compare()

    def come_after_a_later_run(self, chunks: list[list[LandedFile]]) -> None:
        """A run that lost its lease long ago, and does not know."""
        if self.model.counts:
            with pytest.raises(LeaseLostError):
                self.table.load(self.table.plan(self.batch, 0, chunks))
            self.compare()

    def compare(self, outcome: Outcome | None = None) -> None:
        held = self.table.held(*COLUMNS)
        assert [(key, row, batch) for _, key, row, batch in held] == self.model.held()
        if outcome:
            records = self.table.batches()
            counts = [{name: record[name] for name in COUNTS} for record in records]
            assert counts == list(self.model.counts.values())
            highest = [record["last_position"] for record in records if record["last_position"]]
            assert (highest[-1:] and max(highest) == held[-1].position) or not held
            told = outcome.model_dump(include=set(records[-1]))
            assert told.items() <= records[-1].items()


@LASTING
@LOOKING
@given(data=st.data())
def test_target_follows_its_source_however_the_files_land(pipeline, data):
    pipeline.forget()
    source = data.draw(SOURCES)
    files = data.draw(FILES)
    follower = Follower(pipeline, source)
    for delivery in data.draw(deliveries(files)):
        follower.take(delivery)


def test_a_batch_on_both_sides_of_the_watermark_is_checked_row_by_row(pipeline):
    follower = Follower(pipeline, Source(("number",), "numbered", header=False, null="NULL"))
    landed = [("U", 2, 1), ("D", 2, 2)], [("U", 1, 1), ("U", 1, 2), ("U", 3, 3)]
    for name, changes in zip(["2.csv", "1.csv"], landed, strict=True):
        lines = [
            Change(operation, version, "a", number, name, "7")
            for operation, version, number in changes
        ]
        follower.take(Delivery([[File("", name, tuple(lines))]], None))
    assert follower.model.counts[2] == {
        "rows_staged": 3,
        "rows_inserted": 1,
        "rows_updated": 0,
        "rows_deleted": 0,
        "rows_stale": 2,
    }
