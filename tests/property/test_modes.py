"""In every write mode, however a history is split and lands, the target matches the model.

TIDEGATE_EXAMPLES=5000 pytest tests/property/test_modes.py tries more, new examples each time.
"""

import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.property.counts import Counts, counts, partial_updates
from tests.property.modes import (
    ABSENT,
    COLUMNS,
    FIELDS,
    NULL,
    Change,
    File,
    Format,
    Landed,
    Mode,
    contract_of,
    seconds_of_day,
    sequence,
)
from tests.property.pipeline import Pipeline, Table
from tidegate.batch.objects import LandedFile

EXAMPLES = os.environ.get("TIDEGATE_EXAMPLES")
LOOKING = settings(
    max_examples=int(EXAMPLES or 80),
    derandomize=not EXAMPLES,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# To find the smallest history that fails may take minutes.
LASTING = pytest.mark.timeout(0 if EXAMPLES else 1800)
MODES: list[Mode] = ["upsert", "soft_delete", "history", "append", "replace", "partial"]
NAMES = ["20240809-1.csv", "20240809-2.csv", "20240810-1.csv", "20240810-2.csv", "20240811-1.csv"]
REPLACING = ["20240808-1.csv", "20240810-3.csv", "20240812-1.csv"]
SNAPSHOTS = ["LOAD00000001.csv", "LOAD00000002.csv"]
AS_OF = st.sampled_from([0, 0, 3, 5, 9])  # sequences; nought is not said


def changes(mode: Mode, operations: str) -> st.SearchStrategy[Change]:
    absent = [ABSENT, ABSENT] if mode == "partial" else []
    keys = st.sampled_from([1, 2, 2, 3, None])
    return st.builds(
        Change,
        operation=st.sampled_from(operations),
        seq=st.integers(1, 9),
        at=st.integers(0, 4),
        old=st.sampled_from([None, 1, 2, 3]),
        id=keys,
        name=st.sampled_from(["a", "b", "é", NULL, 'x,"y"\nz', None, *absent]),
        amount=st.sampled_from([7, 8, None, "x", *absent]),
    )


@st.composite
def histories(draw: Any, mode: Mode) -> list[File]:
    operations = "I" if mode == "replace" else "IUUDDXT"
    lists = st.lists(changes(mode, operations), max_size=5)
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    fields = st.just(tuple(FIELDS))
    if mode == "partial":
        fields = st.sampled_from([("seq", "id", "amount"), ("name", "id", "seq"), tuple(FIELDS)])
    if mode == "replace":
        lists = st.lists(changes(mode, operations), max_size=4)
    files = [File(name, tuple(draw(lists)), draw(fields)) for name in names]
    if mode != "replace":
        whole = st.lists(changes("upsert", "I"), max_size=3)
        found = draw(st.lists(st.sampled_from(SNAPSHOTS), max_size=1, unique=True))
        files += [File(name, tuple(draw(whole))) for name in found]
    for file in draw(st.lists(st.sampled_from(files), max_size=1)):
        kept = file.changes[: draw(st.integers(0, len(file.changes)))]
        more = draw(st.lists(changes(mode, "I" if file.snapshot else operations), max_size=2))
        files.append(replace(file, changes=(*kept, *more), version=1))
    return files


@st.composite
def batches(draw: Any, files: list[File], mode: Mode) -> list[list[list[File]]]:
    """Every file once, in any order, alone or with others, and some again; chunks of batches."""
    cut: list[list[list[File]]] = []
    again = draw(st.lists(st.sampled_from(files), max_size=2))
    for file in draw(st.permutations([*files, *again])):
        # A snapshot that replaces the table makes a batch of its own; none has a file twice.
        alone = mode == "replace" or not cut or any(file in chunk for chunk in cut[-1])
        place = "batch" if alone else draw(PLACES)
        if place == "batch":
            cut.append([[]])
        if place == "chunk":
            cut[-1].append([])
        cut[-1][-1].append(file)
    return cut


@st.composite
def refreshes(draw: Any, seen: list[File], mode: Mode) -> list[list[File]]:
    """A snapshot, and those of the changes seen that landed since it was begun; in chunks."""
    rows = draw(st.lists(changes("upsert", "I"), max_size=4))
    if mode == "replace":
        return [[File(draw(st.sampled_from(REPLACING)), tuple(rows))]]
    chosen = [file for file in seen if not file.snapshot and draw(st.booleans())]
    # A later version of a file landed later.
    since = [file for file in seen if any(file.is_version_of(one) for one in chosen)]
    files = [File("LOAD00000003.csv", tuple(rows)), *dict.fromkeys(since)]
    cut = draw(st.integers(0, len(files)))
    return [chunk for chunk in (files[:cut], files[cut:]) if chunk]


# A Parquet file has all its columns for all of its rows.
FORMATS: list[st.SearchStrategy[Format]] = [
    st.sampled_from(["dms_csv", "dms_csv", "jsonl", "parquet"]),
    st.sampled_from(["dms_csv", "jsonl"]),
]
PLACES = st.sampled_from(["batch", "chunk", "beside"])


class Follower:
    """A table of one mode beside its model."""

    def __init__(
        self, pipeline: Pipeline, mode: Mode, tracked: list[str] | None, written_as: Format
    ) -> None:
        self.mode = mode
        self.written_as = written_as
        self.table = Table(pipeline, contract_of(mode, pipeline.new_name(), tracked, written_as))
        self.landed = Landed(mode, tracked)
        self.as_of: str | None = None
        self.early: set[File] = set()
        self.batch = 0

    def take(self, chunks: list[list[File]]) -> None:
        self.batch += 1
        before = self.landed.copy()
        landed = [[self.land(file) for file in chunk] for chunk in chunks]
        plan = self.table.plan(
            self.batch,
            self.batch,
            landed,
            epoch=len(self.landed.epochs),
            as_of=self.as_of,
            taken_at=seconds_of_day(self.landed.taken_at) if self.is_refreshed else 0,
        )
        self.table.load(plan)
        count = [[file for file in chunk if not self.is_superseded(file)] for chunk in chunks]
        for file in (file for chunk in count for file in chunk):
            self.landed.add(file)
        self.compare(before, count)

    def refresh(self, chunks: list[list[File]], seen: list[File], as_of: int) -> None:
        """Let a snapshot, and changes that landed since, replace what there is.

        What else was seen landed before it. If `as_of` is said, only snapshots are judged by that.
        """
        self.batch += 1
        before = self.landed.copy()
        self.as_of = sequence(as_of) if as_of else None
        self.early = set(seen) - {file for chunk in chunks for file in chunk}
        self.landed.refresh([file for chunk in chunks for file in chunk], as_of)
        landed = [[self.land(file) for file in chunk] for chunk in chunks]
        plan = self.table.plan(
            self.batch,
            self.batch,
            landed,
            epoch=len(self.landed.epochs),
            as_of=self.as_of,
            refreshes=True,
            taken_at=seconds_of_day(self.landed.taken_at),
            force=True,
        )
        self.table.load(plan)
        self.compare(before, chunks)

    def compare(self, before: Landed, chunks: list[list[File]]) -> None:
        assert self.held() == self.landed.rows()
        records = self.table.batches()
        assert [record["batch"] for record in records] == list(range(1, self.batch + 1))
        recorded = Counts(*(records[-1][f"rows_{name}"] for name in Counts._fields))
        batch = [file for chunk in chunks for file in chunk]
        expected = counts(before, self.landed, [file.id for file in batch])
        if self.mode == "partial" and self._meets_forgotten(before, batch):
            least, most = partial_updates(before, self.landed, batch)
            assert least <= recorded.updated <= most
            expected = expected._replace(updated=recorded.updated)
        assert recorded == expected
        if self.mode in {"upsert", "soft_delete"}:
            assert self.table.buried() == self.landed.buried()

    def _meets_forgotten(self, before: Landed, batch: list[File]) -> bool:
        """Whether what was superseded may matter: to a repetition, or to a truncation."""
        if len(before.epochs) < len(self.landed.epochs):
            return False
        repeats = any(file.id in before.epochs[-1] for file in batch)
        return repeats or any(change.operation == "T" for file in batch for change in file.changes)

    @property
    def is_refreshed(self) -> bool:
        return len(self.landed.epochs) > 1

    def is_early(self, file: File) -> bool:
        """Whether it, or a later version of it, landed before the snapshot of the last refresh."""
        return any(one.is_version_of(file) for one in self.early)

    def is_superseded(self, file: File) -> bool:
        return self.is_early(file) and (file.snapshot or self.as_of is None)

    def land(self, file: File) -> LandedFile:
        day = self.landed.taken_at - self.is_early(file)
        landed_at = seconds_of_day(day) + file.version
        return self.table.land(file.name, file.content(self.written_as), landed_at)

    def held(self) -> list[tuple[Any, ...]]:
        rows = self.table.rows(*COLUMNS[self.mode])
        if self.mode == "soft_delete":
            rows = [(*row[:-1], row[-1] is not None) for row in rows]
        return sorted(rows, key=repr)


@pytest.mark.parametrize("mode", MODES)
@LASTING
@LOOKING
@given(data=st.data())
def test_target_is_what_the_model_says_however_the_files_land(pipeline, mode, data):
    pipeline.forget()
    tracked = data.draw(st.sampled_from([None, ["amount"]])) if mode == "history" else None
    files = data.draw(histories(mode))
    follower = Follower(pipeline, mode, tracked, data.draw(FORMATS[mode == "partial"]))
    cut = data.draw(batches(files, mode))
    refreshed_after = data.draw(st.lists(st.integers(0, 5), max_size=3))
    seen: list[File] = []
    for number, chunks in enumerate(cut):
        follower.take(chunks)
        seen += [file for chunk in chunks for file in chunk]
        for _ in range(refreshed_after.count(number)):
            as_of = data.draw(AS_OF) if mode != "replace" else 0
            follower.refresh(data.draw(refreshes(seen, mode)), seen, as_of)
