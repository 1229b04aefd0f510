"""One test for each pain that users of other tools report; the numbers are those of the pains."""

from datetime import datetime
from typing import Any

import pytest

from tests.property.modes import ABSENT, COLUMNS, Change, File, Format, Mode, contract_of
from tests.property.pipeline import Pipeline, Table
from tests.unit.samples import contract
from tidegate.contract import Contract

D9, D10, D11 = "20240809-1.csv", "20240810-1.csv", "20240811-1.csv"
LOAD = "LOAD00000001.csv"


class Replica:
    """A table that takes files, batch after batch."""

    def __init__(self, pipeline: Pipeline, mode: Mode, written_as: Format = "dms_csv") -> None:
        self.mode = mode
        self.written_as = written_as
        of = contract_of(mode, pipeline.new_name(), written_as=written_as)
        self.table = Table(pipeline, of)
        self.batch = 0

    def take(self, *files: File) -> dict[str, Any]:
        """Land files and load them as one batch; give its record."""
        self.batch += 1
        landed = [self.table.land(file.name, file.content(self.written_as)) for file in files]
        outcome = self.table.load(self.table.plan(self.batch, self.batch, [landed]))
        return outcome.model_dump()

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        return sorted(self.table.rows(*COLUMNS[self.mode]), key=repr)


@pytest.fixture
def upsert(pipeline) -> Replica:
    return Replica(pipeline, "upsert")


@pytest.fixture
def history(pipeline) -> Replica:
    return Replica(pipeline, "history")


@pytest.fixture(params=["dms_csv", "jsonl"])
def partial(pipeline, request) -> Replica:
    return Replica(pipeline, "partial", request.param)


def change(
    operation: str, seq: int, key: int | None, name: str | None = None, **more: Any
) -> Change:
    given = {"at": seq, "old": None, "amount": None} | more
    return Change(operation=operation, seq=seq, id=key, name=name, **given)


def file(name: str, *changes: Change, **more: Any) -> File:
    return File(name, changes, **more)


def day(number: int) -> datetime:
    return datetime(2024, 8, 9 + number)


def test_pain_02_a_key_that_comes_twice_in_a_batch_is_one_row(upsert):
    upsert.take(file(D9, change("I", 1, 1, "a"), change("I", 2, 1, "b")))
    assert upsert.rows == [(1, "b", None)]


def test_pain_03_a_key_that_changes_often_in_a_batch_ends_in_its_last_change(upsert):
    upsert.take(file(LOAD, change("I", 0, 1, "a")))
    upsert.take(file(D9, change("U", 3, 1, "d"), change("U", 1, 1, "b"), change("U", 2, 1, "c")))
    assert upsert.rows == [(1, "d", None)]


@pytest.mark.parametrize(
    ("operations", "rows"),
    [("IUDI", [(1, "4", None)]), ("ID", []), ("DI", [(1, "2", None)]), ("IDID", [])],
)
def test_pain_04_inserts_and_deletes_of_a_key_in_one_batch_end_as_the_last_says(
    upsert, operations, rows
):
    numbered = enumerate(operations, start=1)
    upsert.take(file(D9, *(change(operation, n, 1, str(n)) for n, operation in numbered)))
    assert upsert.rows == rows


def test_pain_05_delete_of_an_unknown_key_adds_no_row_and_is_remembered(upsert):
    upsert.take(file(D10, change("D", 2, 1)))
    assert upsert.rows == []
    upsert.take(file(D9, change("I", 1, 1, "a")))
    assert upsert.rows == []


def test_pain_06_an_older_change_never_overwrites_a_newer_one_and_is_counted(upsert):
    upsert.take(file(D10, change("U", 2, 1, "new")))
    record = upsert.take(file(D9, change("U", 1, 1, "old")))
    assert upsert.rows == [(1, "new", None)]
    assert record["rows_stale"] == 1


def test_pain_07_update_without_a_row_to_update_makes_the_row(upsert):
    upsert.take(file(D9, change("I", 1, 1, "a"), change("U", 2, 1, "b"), change("U", 3, 2, "c")))
    assert upsert.rows == [(1, "b", None), (2, "c", None)]


def test_pain_08_rows_that_come_behind_the_watermark_are_not_lost(upsert):
    upsert.take(file(D11, change("I", 9, 1, "a")))
    upsert.take(file(D9, change("I", 1, 2, "late")))
    assert upsert.rows == [(1, "a", None), (2, "late", None)]


def test_pain_09_a_batch_that_is_replayed_changes_nothing(upsert):
    files = file(D9, change("I", 1, 1, "a")), file(D10, change("D", 2, 1), change("I", 3, 2, "b"))
    upsert.take(*files)
    assert upsert.take(files[0])["rows_stale"] == 1
    assert upsert.take(files[1])["rows_stale"] == 2
    assert upsert.rows == [(2, "b", None)]


def test_pain_17_text_is_measured_in_bytes_and_too_much_refuses_its_row_only(upsert):
    upsert.take(file(D9, change("I", 1, 1, "é" * 11), change("I", 2, 2, "é" * 10)))
    assert upsert.rows == [(2, "é" * 10, None)]


def test_pain_18_a_row_that_cannot_be_read_stops_no_other(upsert):
    upsert.take(
        file(D9, change("I", 1, 1, "a", amount="x"), change("I", 2, None), change("I", 3, 2))
    )
    assert upsert.rows == [(2, None, None)]


def test_pain_19_a_column_that_is_not_carried_keeps_its_value_and_a_null_does_not(partial):
    partial.take(file(D9, change("I", 1, 1, "a", amount=7)))
    partial.take(
        file(D10, change("U", 2, 1, ABSENT, amount=8), change("U", 3, 1, ABSENT, amount=ABSENT))
    )
    assert partial.rows == [(1, "a", 8)]
    partial.take(file(D11, change("U", 4, 1, None, amount=ABSENT)))
    assert partial.rows == [(1, None, 8)]


def test_pain_19_a_late_partial_change_applies_where_nothing_newer_was_set(partial):
    partial.take(file(D9, change("I", 1, 1, "a", amount=7)))
    partial.take(file(D11, change("U", 3, 1, "c", amount=ABSENT)))
    partial.take(file(D10, change("U", 2, 1, "b", amount=8)))
    assert partial.rows == [(1, "c", 8)]


def test_pain_20_a_changed_key_leaves_no_row_behind(upsert):
    upsert.take(file(LOAD, change("I", 0, 1, "a")))
    upsert.take(file(D9, change("U", 1, 2, "a", old=1), change("U", 2, 3, "a", old=2)))
    assert upsert.rows == [(3, "a", None)]


def test_pain_20_a_changed_key_of_partial_rows_is_moved_if_the_change_carries_the_row(partial):
    partial.take(file(D9, change("I", 1, 1, "a", amount=7), change("I", 2, 3, "c", amount=9)))
    partial.take(file(D10, change("U", 3, 2, "b", amount=7, old=1)))
    partial.take(file(D11, change("U", 4, 4, ABSENT, amount=8, old=3)))
    assert partial.rows == [(2, "b", 7), (3, "c", 9)]


def test_file_of_the_name_of_another_adds_what_is_new_in_it_once(pipeline):
    of = contract({"id": "integer"}, table=pipeline.new_name(), key=(), write="append")
    table = Table(pipeline, of)
    # Another file, the first one again, and what it has grown to.
    contents = [b"I,1\nI,1\n", b"I,2\n", b"I,1\nI,1\n", b"I,1\nI,1\nI,1\nI,3\n"]
    for batch, content in enumerate(contents, start=1):
        landed = table.land(D9, content)
        table.load(table.plan(batch, batch, [[landed]]))
    assert sorted(table.rows("id")) == [(1,), (1,), (1,), (2,), (3,)]
    assert [record["rows_stale"] for record in table.batches()] == [0, 0, 2, 2]


def test_record_in_the_place_of_another_is_added_though_their_sequence_is_the_same(pipeline):
    of = contract(
        {"id": "integer", "seq": "bigint"},
        table=pipeline.new_name(),
        key=(),
        write="append",
        sequence=["seq"],
    )
    table = Table(pipeline, of)
    # DMS gives rows of full loads no change sequence, and all loads the same names.
    files = [(LOAD, b"1,\n2,\n"), (LOAD, b"3,\n2,\n"), (D9, b"I,4,7\n"), (D9, b"I,5,7\n")]
    for batch, (name, content) in enumerate([*files, *files], start=1):
        table.load(table.plan(batch, batch, [[table.land(name, content)]]))
    assert sorted(table.rows("id")) == [(1,), (2,), (3,), (4,), (5,)]
    assert [record["rows_stale"] for record in table.batches()] == [0, 1, 0, 0, 2, 2, 1, 1]


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one by one"])
@pytest.mark.parametrize("seconds", [0, 60])
@pytest.mark.parametrize("mode", ["upsert", "soft_delete", "history", "append", "partial"])
def test_file_that_was_written_again_counts_once_and_its_later_version_is_newer(
    pipeline, mode, seconds, at_once
):
    table = Table(pipeline, contract_of(mode, pipeline.new_name()))
    grown = [file(D9, change("I", 1, 1, "a")), file(D9, change("I", 1, 1, "a"), change("I", 1, 2))]
    corrected = file(D9, change("I", 1, 1, "b"), change("I", 1, 2))
    versions = [*grown, corrected] if seconds else grown
    landed = [
        table.land(one.name, one.content(), landed_at=number * seconds)
        for number, one in enumerate(versions)
    ]
    for batch, some in enumerate([landed] if at_once else [[one] for one in landed], start=1):
        table.load(table.plan(batch, batch, [some]))
    name = "b" if seconds else "a"
    rows = sorted(table.rows("id", "name", *(["is_current"] if mode == "history" else [])))
    if mode == "append":
        assert rows == sorted({(1, "a"), (1, name), (2, None)})
    else:
        assert [row[:2] for row in rows if row[-1] is not False] == [(1, name), (2, None)]


@pytest.mark.parametrize("mode", ["upsert", "soft_delete", "history", "partial"])
def test_rows_of_a_later_full_load_are_newer_though_they_carry_no_sequence(pipeline, mode):
    more = {"history": {"changed_at": "at"}, "partial": {"partial": True}}.get(mode, {})
    columns = {"id": "integer", "at": "timestamp", "name": "varchar(9)"}
    of = contract(
        columns,
        table=pipeline.new_name(),
        write="upsert" if mode == "partial" else mode,
        fields=["seq", "id", "at", "name"],
        sequence=["seq"],
        **more,
    )
    table = Table(pipeline, of)
    lines = {1: "abc", 2: "CBA"}
    for batch, names in lines.items():
        keys = [1, 2, 3] if batch == 1 else [3, 2, 1]
        rows = (f",{key},2024-08-0{batch},{n}\n" for key, n in zip(keys, names, strict=True))
        landed = table.land(LOAD, "".join(rows).encode(), landed_at=batch)
        table.load(table.plan(batch, batch, [[landed]]))
    rows = sorted(table.rows("id", "name", *(["is_current"] if mode == "history" else [])))
    assert [row[:2] for row in rows if row[-1] is not False] == [(1, "A"), (2, "B"), (3, "C")]


def test_file_that_is_replayed_adds_nothing_though_the_contract_gained_columns(pipeline):
    written = {"table": pipeline.new_name(), "write": "append", "key": ()}
    first = Table(pipeline, contract({"id": "integer"}, options={"header": True}, **written))
    landed = first.land(D9, b"Op,id,note\nI,1,a\nI,1,\n")
    first.load(first.plan(1, 1, [[landed]]))
    of = contract({"note": "varchar(9)", "id": "integer"}, options={"header": True}, **written)
    table = Table(pipeline, of)
    table.load(table.plan(2, 2, [[landed]]))
    assert table.rows("id", "note") == [(1, None), (1, None)]
    assert [record["rows_stale"] for record in table.batches()] == [0, 2]


def test_without_a_sequence_what_landed_later_under_a_name_is_newer(pipeline):
    of = contract(table=pipeline.new_name())
    table = Table(pipeline, of)
    files = {
        (LOAD, 1): b"1,a\n2,b\n3,c\n",
        ("LOAD00000002.csv", 2): b"4,d\n",
        # A second full load, whose rows stand in other lines and files than before.
        ("LOAD00000002.csv", 9): b"1,A\n",
        (LOAD, 8): b"4,D\n3,C\n2,B\n",
        (D9, 21): b"U,2,changed\n",
        (D9, 20): b"U,2,before\n",
    }
    for batch, ((name, landed_at), content) in enumerate(files.items(), start=1):
        landed = table.land(name, content).model_copy(update={"landed_at": landed_at})
        table.load(table.plan(batch, batch, [[landed]]))
    assert sorted(table.rows("id", "name")) == [(1, "A"), (2, "changed"), (3, "C"), (4, "D")]


@pytest.mark.parametrize("mode", ["upsert", "soft_delete", "history"])
def test_pain_20_images_of_only_those_parts_of_a_key_that_changed_leave_no_row_behind(
    pipeline, mode
):
    written = contract_of(mode, pipeline.new_name(), ["amount"] if mode == "history" else None)
    of = Contract.model_validate(written.as_written() | {"key": ["id", "name"]})
    table = Table(pipeline, of)
    header = b"Op,seq,at,BI_id,BI_name,id,name,amount\n"
    first = b"I,00001,2024-08-10,NULL,NULL,1,a,5\nI,00001,2024-08-10,NULL,NULL,3,c,6\n"
    moved = b"U,00002,2024-08-11,NULL,a,1,b,5\nU,00002,2024-08-11,3,NULL,4,c,6\n"
    same = b"U,00003,2024-08-12,NULL,NULL,4,c,6\n"
    for batch, content in enumerate([first, moved, same], start=1):
        landed = table.land(f"2024081{batch}-1.csv", header + content)
        table.load(table.plan(batch, batch, [[landed]]))
    gone = {"history": "is_current", "soft_delete": "_deleted_at"}.get(mode)
    rows = table.rows("id", "name", *([gone] if gone else []))
    living = [row[:2] for row in rows if not gone or row[2] in {None, True}]
    assert sorted(living) == [(1, "b"), (4, "c")]
    assert len(rows) == (2 if mode == "upsert" else 4)


def test_pain_21_rows_of_a_full_load_have_no_operation_and_deletes_only_a_key(pipeline):
    replica = Replica(pipeline, "upsert")
    whole = file(LOAD, change("I", 0, 1, "a"), change("I", 0, 2, "b")).content()
    landed = replica.table.land(LOAD, whole.replace(b"Op,", b"").replace(b"I,", b""))
    replica.table.load(replica.table.plan(1, 1, [[landed]]))
    replica.batch = 1
    replica.take(file(D9, change("D", 1, 2, None)))
    assert replica.rows == [(1, "a", None)]


def test_pain_22_a_deleted_row_goes_or_stays_marked_as_the_contract_says(pipeline):
    hard, soft = Replica(pipeline, "upsert"), Replica(pipeline, "soft_delete")
    for replica in (hard, soft):
        replica.take(file(D9, change("I", 1, 1, "a"), change("I", 2, 2, "b")))
        replica.take(file(D10, change("D", 3, 1)))
    assert hard.rows == [(2, "b", None)]
    assert [(*row[:3], row[3] is None) for row in soft.rows] == [
        (1, "a", None, False),
        (2, "b", None, True),
    ]
    soft.take(file(D11, change("I", 4, 1, "back")))
    assert [(*row[:3], row[3] is None) for row in soft.rows] == [
        (1, "back", None, True),
        (2, "b", None, True),
    ]


def test_pain_25_a_key_that_returns_opens_a_version_of_its_own(history):
    history.take(file(D9, change("I", 1, 1, "a"), change("D", 2, 1), change("I", 4, 1, "a")))
    assert history.rows == [
        (1, "a", None, day(1), day(2), False),
        (1, "a", None, day(4), None, True),
    ]


def test_pain_25_a_change_that_changes_nothing_makes_no_version_nor_does_a_replay(history):
    first = file(D9, change("I", 1, 1, "a"), change("U", 2, 1, "a"))
    history.take(first)
    history.take(first)
    assert history.rows == [(1, "a", None, day(1), None, True)]


def test_pain_25_a_late_change_splits_the_version_it_falls_into(history):
    history.take(file(D9, change("I", 1, 1, "a")), file(D11, change("U", 5, 1, "c")))
    history.take(file(D10, change("U", 3, 1, "b")))
    assert history.rows == [
        (1, "a", None, day(1), day(3), False),
        (1, "b", None, day(3), day(5), False),
        (1, "c", None, day(5), None, True),
    ]


def test_pain_25_a_version_that_ends_when_it_begins_is_left_out(history):
    first = file(D9, change("I", 1, 1, "a"), change("U", 2, 1, "b", at=3))
    history.take(first, file(D10, change("U", 3, 1, "c", at=3), change("I", 4, 2, "x", at=3)))
    expected = [(1, "a", None, day(1), day(3), False), (1, "c", None, day(3), None, True)]
    assert history.rows == [*expected, (2, "x", None, day(3), None, True)]
    history.take(file(D11, change("D", 5, 2, at=3)))
    assert history.rows == expected


@pytest.mark.parametrize("loaded_at", [0, 9], ids=["without a time", "at its own time"])
def test_full_load_that_is_repeated_leaves_the_history_of_before_it_as_it_was(history, loaded_at):
    history.take(file(LOAD, change("I", 0, 1, "z", at=0)))
    history.take(file(D9, change("U", 1, 1, "a", at=1), change("U", 2, 1, "b", at=2)))
    before = history.rows
    again = [change("I", 3, key, name, at=loaded_at) for key, name in ((1, "b"), (2, "c"))]
    history.take(file("LOAD00000002.csv", *again))
    assert history.rows == [*before, (2, "c", None, day(loaded_at), None, True)]


def test_pain_27_a_late_update_does_not_bring_back_a_deleted_row(upsert):
    upsert.take(file(D9, change("I", 1, 1, "a")))
    upsert.take(file(D11, change("D", 3, 1)))
    upsert.take(file(D10, change("U", 2, 1, "late")))
    assert upsert.rows == []


def test_a_truncation_empties_the_table_of_all_that_was_before_it(upsert):
    upsert.take(file(D9, change("I", 1, 1, "a"), change("I", 2, 2, "b")))
    upsert.take(file(D11, change("T", 5, None), change("I", 6, 3, "c")))
    record = upsert.take(file(D10, change("U", 4, 2, "late")))
    assert (upsert.rows, record["rows_stale"]) == ([(3, "c", None)], 1)


def test_a_truncation_ends_all_versions_before_it_and_those_that_come_late(history):
    history.take(file(D9, change("I", 1, 1, "a", at=1), change("I", 2, 2, "b", at=2)))
    history.take(file(D11, change("T", 5, None, at=5), change("I", 6, 1, "c", at=6)))
    history.take(file(D10, change("U", 4, 2, "late", at=4), change("I", 4, 3, "late", at=4)))
    assert history.rows == [
        (1, "a", None, day(1), day(5), False),
        (1, "c", None, day(6), None, True),
        (2, "b", None, day(2), day(4), False),
        (2, "late", None, day(4), day(5), False),
        (3, "late", None, day(4), day(5), False),
    ]


def test_what_a_truncation_ends_is_stale_no_more_often_than_it_came(history):
    first = file(D9, change("I", 1, 1, "a", at=1), change("I", 2, 2, "b", at=2))
    late = file(D10, change("I", 4, 3, "late", at=4))
    records = [
        history.take(one) for one in (first, file(D11, change("T", 5, None, at=5)), first, late)
    ]
    counted = [(record["rows_staged"], record["rows_stale"]) for record in records]
    assert counted == [(2, 0), (1, 0), (2, 2), (1, 0)]


def test_a_truncation_forgets_what_partial_rows_had_before_it(partial):
    partial.take(file(D9, change("I", 1, 1, "a", amount=7), change("I", 2, 2, "b")))
    partial.take(file(D11, change("T", 5, None), change("U", 6, 1, ABSENT, amount=8)))
    partial.take(file(D10, change("U", 4, 1, "late"), change("U", 4, 2, "late")))
    assert partial.rows == [(1, None, 8)]
