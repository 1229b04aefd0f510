"""The job refuses too many deletes and too small a snapshot, and leaves no trace of them."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from glue_jobs.load_batch import LoadFailedError, MassDeleteError, RefreshRefusedError
from tests.property.pipeline import Pipeline, Table
from tests.unit.samples import contract
from tidegate.batch.plan import Outcome, Plan

CHANGES, LATER, SNAPSHOT = "20240809-1.csv", "20240810-1.csv", "LOAD00000001.csv"
Numbers = Iterable[int]


@pytest.fixture
def table(pipeline: Pipeline) -> Callable[..., Table]:
    def make(columns: dict[str, str] | None = None, **more: Any) -> Table:
        name = pipeline.new_name()
        of = contract(columns or {"id": "integer"}, table=name, prefix=f"{name}/", **more)
        return Table(pipeline, of)

    return make


def lines(operation: str, numbers: Numbers) -> bytes:
    return "".join(f"{operation}{number}\n" for number in numbers).encode()


def filled(made: Table, count: int) -> Table:
    file = made.land(CHANGES, lines("I,", range(count)))
    made.load(made.plan(1, 1, [[file]]))
    return made


def deletes(made: Table, numbers: Numbers, *, force: bool = False) -> Plan:
    return made.plan(2, 2, [[made.land(LATER, lines("D,", numbers))]], force=force)


def refresh(made: Table, numbers: Numbers, *, batch: int = 2, force: bool = False) -> Plan:
    file = made.land(SNAPSHOT, lines("", numbers))
    return made.plan(batch, batch, [[file]], epoch=batch, refreshes=True, force=force)


def ids(made: Table) -> list[int]:
    return sorted(number for (number,) in made.rows("id"))


@pytest.mark.parametrize(
    ("limit", "rows", "most"), [(3, 5, 3), ("3", 5, 3), (0, 5, 0), ("50%", 1001, 500)]
)
def test_batch_that_deletes_more_than_is_allowed_changes_nothing(table, limit, rows, most):
    made = filled(table(max_deletes=limit), rows)
    plan = deletes(made, range(most + 1))
    with pytest.raises(MassDeleteError, match=rf"deletes {most + 1} of {rows} rows, more than"):
        made.load(plan)
    assert (len(ids(made)), [batch["batch"] for batch in made.batches()]) == (rows, [1])


@pytest.mark.parametrize(
    ("limit", "rows", "gone"),
    [(3, 5, 3), ("50%", 1001, 500), ("50%", 1000, 1000), ("none", 1001, 1001), ("0%", 1000, 1000)],
)
def test_batch_that_deletes_what_is_allowed_is_applied(table, limit, rows, gone):
    made = filled(table(max_deletes=limit), rows)
    assert made.load(deletes(made, range(gone))).rows_deleted == gone
    assert len(ids(made)) == rows - gone


def test_deletes_that_are_released_pass(table):
    made = filled(table(max_deletes=1), 3)
    assert made.load(deletes(made, range(3), force=True)).rows_deleted == 3


def test_deletes_of_rows_that_are_not_there_do_not_count(table):
    made = filled(table(max_deletes=1), 3)
    assert made.load(deletes(made, range(100, 200))).rows_deleted == 0


def test_versions_that_end_are_deletes(table):
    made = table({"id": "integer", "at": "date"}, max_deletes=3, write="history", changed_at="at")
    days = {"I": "2024-08-09", "D": "2024-08-10"}

    def load(batch: int, operation: str, numbers: Numbers) -> Outcome:
        content = "".join(f"{operation},{number},{days[operation]}\n" for number in numbers)
        file = made.land(f"2024081{batch}-1.csv", content.encode())
        return made.load(made.plan(batch, batch, [[file]]))

    load(1, "I", range(5))
    with pytest.raises(MassDeleteError, match="deletes 4 of 5 rows"):
        load(2, "D", range(4))
    assert load(3, "D", range(3)).rows_deleted == 3
    # Of the two that are left one goes: versions that ended before count neither way.
    assert load(4, "D", range(1, 4)).rows_deleted == 1


def test_rows_that_are_marked_already_are_not_deleted_once_more(table):
    made = filled(table(max_deletes="50%", write="soft_delete"), 2100)
    assert made.load(deletes(made, range(1050))).rows_deleted == 1050
    again = made.land("20240811-1.csv", lines("D,", range(1150)))
    assert made.load(made.plan(3, 3, [[again]])).rows_deleted == 100


def test_snapshot_that_would_leave_a_small_part_of_a_replaced_table_is_held_back(table):
    made = table(max_deletes="50%", write="replace")
    snapshots = {1: range(2000), 2: range(999), 3: range(5000, 6000)}
    plans = {
        batch: made.plan(batch, batch, [[made.land(f"export-{batch}.csv", lines("", numbers))]])
        for batch, numbers in snapshots.items()
    }
    made.load(plans[1])
    with pytest.raises(MassDeleteError, match="deletes 1001 of 2000 rows"):
        made.load(plans[2])
    assert made.load(plans[3]).rows_deleted == 2000
    assert ids(made) == list(range(5000, 6000))


def test_snapshot_that_is_held_back_gives_way_to_the_next_one_when_it_is_deleted(table):
    made = table(max_deletes="50%", write="replace")
    made.load(made.plan(1, 1, [[made.land("export.csv", lines("", range(2000)))]]))
    wrong = made.land("export.csv", lines("", range(10)))
    with pytest.raises(MassDeleteError):
        made.load(made.plan(2, 2, [[wrong]]))
    made.pipeline.shop.s3.delete_object(Bucket=made.pipeline.shop.landing, Key=wrong.key)
    made.load(made.plan(2, 3, [[wrong]]))
    assert len(ids(made)) == 2000
    right = made.land("export.csv", lines("", range(1, 2001)))
    made.load(made.plan(3, 4, [[right]]))
    assert ids(made) == list(range(1, 2001))


def test_replaced_table_is_the_newest_file_whatever_times_its_rows_have(table):
    columns = {"id": "integer", "at": "timestamp"}
    made = table(columns, write="replace", options={"timestamp": "at"}, max_deletes="none")
    days = {"export-1.csv": (8, 9), "export-2.csv": (3, 7)}
    for batch, name in enumerate([*days, "export-1.csv"], start=1):
        rows = "".join(f"2024-08-0{day},{day}\n" for day in days[name])
        made.load(made.plan(batch, batch, [[made.land(name, rows.encode())]]))
    assert ids(made) == [3, 7]


def test_replaced_table_of_one_name_in_many_folders_is_the_file_that_landed_last(table):
    made = table(write="replace", max_deletes="none")
    for batch, month in enumerate((9, 10), start=1):
        landed = made.land(f"month={month}/export.csv", lines("", [month]), landed_at=batch)
        made.load(made.plan(batch, batch, [[landed]]))
    assert ids(made) == [10]


def test_refresh_takes_the_place_of_a_snapshot_that_is_held_back(table):
    made = table(max_deletes="50%", write="replace")
    made.load(made.plan(1, 1, [[made.land("export.csv", lines("", range(2000)))]]))
    wrong = made.land("export.csv", lines("", range(10)))
    with pytest.raises(MassDeleteError):
        made.load(made.plan(2, 2, [[wrong]]))
    right = made.land("export.csv", lines("", range(1, 2001)), wrong.landed_at + 60)
    told = {"epoch": 2, "taken_at": right.landed_at}
    made.load(made.plan(2, 3, [[right]], refreshes=True, **told))
    made.load(made.plan(3, 4, [[wrong]], **told))
    assert ids(made) == list(range(1, 2001))


def test_refresh_replaces_all_rows_and_forgets_what_was_deleted_before_it(table):
    made = filled(table(), 4)
    made.load(deletes(made, [3]))
    outcome = made.load(refresh(made, [1, 2, 3], batch=3))
    assert (outcome.rows_inserted, outcome.rows_deleted) == (3, 3)
    assert [(one.key, one.batch) for one in made.held()] == [((n,), 3) for n in (1, 2, 3)]


def test_refresh_that_was_applied_is_not_applied_again_even_if_its_files_are_gone(table):
    made = filled(table(), 2)
    first = refresh(made, [1, 5])
    made.load(first)
    made.pipeline.shop.s3.delete_object(
        Bucket=made.pipeline.shop.landing, Key=first.chunks[0][0].key
    )
    again = made.plan(2, 9, first.chunks, epoch=2, refreshes=True)
    assert made.load(again).already_applied
    assert ids(made) == [1, 5]


@pytest.mark.parametrize(
    ("floor", "held", "least"), [("50%", 5, 3), ("50%", 4, 2), (3, 100, 3), (0, 5, 1), ("0%", 5, 1)]
)
def test_refresh_below_the_floor_changes_nothing_and_one_that_reaches_it_is_applied(
    table, floor, held, least
):
    made = filled(table(refresh_floor=floor), held)
    told = rf"it has {least - 1} rows and the table has {held}, fewer than refresh_floor"
    with pytest.raises(RefreshRefusedError, match=told):
        made.load(refresh(made, range(least - 1)))
    assert ids(made) == list(range(held))
    made.load(refresh(made, range(least), batch=3))
    assert ids(made) == list(range(least))


def test_refresh_of_an_appended_table_that_would_lose_most_changes_waits_for_a_persons_word(table):
    made = filled(table(write="append", key=()), 5)
    with pytest.raises(RefreshRefusedError, match="it has 2 rows and the table has 5, fewer than"):
        made.load(refresh(made, [1, 2]))
    assert ids(made) == [0, 1, 2, 3, 4]
    made.load(refresh(made, [1, 2], batch=3, force=True))
    assert sorted(made.rows("id", "_op")) == [(1, "I"), (2, "I")]


def test_refresh_of_a_replaced_table_by_a_file_without_rows_is_refused_unless_it_is_forced(table):
    made = filled(table(write="replace"), 3)
    with pytest.raises(RefreshRefusedError, match=r"1 of 1 files cannot be read \(it has no rows"):
        made.load(refresh(made, []))
    assert ids(made) == [0, 1, 2]
    made.load(refresh(made, [], batch=3, force=True))
    assert ids(made) == []


def test_empty_snapshot_is_refused_whatever_changes_came_since(table):
    made = filled(table(refresh_floor=1), 3)
    files = [made.land(SNAPSHOT, b""), made.land(LATER, lines("I,", range(5, 9)))]
    with pytest.raises(RefreshRefusedError, match="it has no row that can be loaded"):
        made.load(made.plan(2, 2, [files], epoch=2, refreshes=True))
    assert ids(made) == [0, 1, 2]


def test_batch_of_an_epoch_before_the_last_refresh_is_refused_and_nothing_lost(table):
    made = filled(table(), 3)
    made.load(refresh(made, range(3)))
    late = made.plan(3, 3, [[made.land(LATER, lines("I,", [7]))]], epoch=1)
    with pytest.raises(LoadFailedError, match=r"of epoch 2, but the ledger is in epoch 1"):
        made.load(late)
    assert (ids(made), len(made.batches())) == ([0, 1, 2], 2)


def test_refresh_by_force_takes_any_snapshot_even_an_empty_one(table):
    made = filled(table(), 5)
    made.load(refresh(made, [], force=True))
    assert (ids(made), made.batches()[-1]["rows_deleted"]) == ([], 5)


def test_refresh_with_a_file_that_cannot_be_read_is_refused(table):
    made = filled(table(), 2)
    files = [made.land(SNAPSHOT, lines("", range(5))), made.land("LOAD00000002.csv", b"1,2,3\n")]
    with pytest.raises(RefreshRefusedError, match="1 of 2 files cannot be read"):
        made.load(made.plan(2, 2, [files], epoch=2, refreshes=True))
    assert ids(made) == [0, 1]


def test_refresh_fills_a_table_that_is_not_there_yet(table):
    made = table()
    made.load(refresh(made, range(3), batch=1))
    assert ids(made) == [0, 1, 2]
