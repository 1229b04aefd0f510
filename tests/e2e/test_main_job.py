"""Real DMS files land, and the warehouse follows: whatever the order, however often."""

import os
import re
from pathlib import Path

import pytest

from tests.e2e.conftest import FreshTable
from tests.e2e.customers import CHANGES, FILES, SNAPSHOT, Row, model
from tests.e2e.harness import LocalStack, until
from tidegate.ledger import FileLedger, LedgerTable, StateLedger

# TIDEGATE_TEST_CUSTOMERS names one more folder with files of the same names to run these tests on.
FOLDERS = [FILES, *(Path(one) for one in [os.environ.get("TIDEGATE_TEST_CUSTOMERS")] if one)]


@pytest.fixture(params=FOLDERS, ids=[folder.name for folder in FOLDERS])
def files(request: pytest.FixtureRequest) -> dict[str, bytes]:
    return {name: (request.param / name).read_bytes() for name in (SNAPSHOT, CHANGES)}


@pytest.fixture
def expected(files: dict[str, bytes]) -> dict[int, Row]:
    return model(files[SNAPSHOT], files[CHANGES])


def rows(stack: LocalStack, table: FreshTable) -> dict[int, Row]:
    found = stack.query(f"select * from {table.name}")
    own = 3  # _position, _batch, _applied_at
    by_key = {row[0]: tuple(row[:-own]) for row in found}
    assert len(by_key) == len(found), "a key stands in the table twice"
    return by_key


def test_snapshot_and_changes_that_land_at_once_end_in_the_rows_of_the_source(
    stack: LocalStack, table: FreshTable, files: dict[str, bytes], expected: dict[int, Row]
) -> None:
    for name, body in files.items():
        stack.land(table.prefix + name, body)
    stack.wait()
    assert rows(stack, table) == expected
    assert expected[497][2:4] == ("Mitesh", "Ravatka")


@pytest.mark.parametrize("order", [(SNAPSHOT, CHANGES), (CHANGES, SNAPSHOT)], ids=" then ".join)
def test_files_in_either_order_end_in_the_rows_of_the_source(
    stack: LocalStack,
    table: FreshTable,
    files: dict[str, bytes],
    expected: dict[int, Row],
    order: tuple[str, str],
) -> None:
    for name in order:
        stack.land(table.prefix + name, files[name])
        stack.wait()
    assert rows(stack, table) == expected
    assert stack.table_status(table.name).applied_files == 2
    watermark = stack.table_status(table.name).watermark
    assert re.fullmatch(rf"000001 1  {CHANGES}!/\d{{10}} 0000000004", watermark)


def test_each_file_delivered_three_times_is_applied_once(
    stack: LocalStack, table: FreshTable, files: dict[str, bytes], expected: dict[int, Row]
) -> None:
    for _ in range(3):
        for name, body in files.items():
            stack.land(table.prefix + name, body)
        stack.wait()
    assert rows(stack, table) == expected
    assert sum(batch["rows_inserted"] for batch in stack.batches(table.name)) == len(expected)
    assert stack.table_status(table.name).applied_files == 2


def test_texts_stay_what_they_are_byte_for_byte(
    stack: LocalStack, table: FreshTable, files: dict[str, bytes], expected: dict[int, Row]
) -> None:
    for name, body in files.items():
        stack.land(table.prefix + name, body)
    stack.wait()
    columns = "customer_name, contact_first_name, phone, postal_code"
    found = stack.query(f"select customer_number, {columns} from {table.name}")
    for key, *texts in found:
        name, _, first_name, phone = expected[key][1:5]
        assert texts == [name, first_name, phone, expected[key][9]]
    if any(row[9] == "01307" for row in expected.values()):
        assert ["01307"] in stack.query(f"select postal_code from {table.name}")


def test_a_change_file_moves_rows_and_watermark(stack: LocalStack, table: FreshTable) -> None:
    first = (FILES / SNAPSHOT).read_bytes()
    second = (FILES / "20240810-081500000.csv").read_bytes()
    stack.land(table.prefix + SNAPSHOT, first)
    stack.wait()
    stack.land(table.prefix + "2024/08/10/20240810-081500000.csv", second)
    stack.wait()
    assert rows(stack, table) == model(first, second)
    assert stack.batches(table.name)[1:] == [
        {
            "rows_staged": 3,
            "rows_inserted": 1,
            "rows_updated": 1,
            "rows_deleted": 1,
            "rows_stale": 0,
        }
    ]
    watermark = r"000001 1  20240810-081500000\.csv!/\d{10}!/2024/08/10 0000000003"
    assert re.fullmatch(watermark, stack.table_status(table.name).watermark)


def test_a_deleted_row_stays_deleted_when_its_snapshot_arrives_late(
    stack: LocalStack, table: FreshTable
) -> None:
    stack.land(table.prefix + "20240811-000000000.csv", b"D,103,,,,,,,,,,,,\n")
    stack.wait()
    stack.land(table.prefix + SNAPSHOT, (FILES / SNAPSHOT).read_bytes())
    stack.wait()
    assert 103 not in rows(stack, table)
    control = table.name.replace(".", "__")
    tombstones = stack.query(f"select customer_number from tidegate.{control}__tombstones")
    assert tombstones == [[103]]
    assert stack.batches(table.name)[1]["rows_stale"] == 1


def test_a_thousand_small_files_are_merged_in_a_handful_of_batches_in_source_order(
    stack: LocalStack, table: FreshTable
) -> None:
    keys = 25
    items = LedgerTable(stack.client("dynamodb"), stack.variables["TIDEGATE_LEDGER_TABLE"])
    states = StateLedger(items)
    # While they land, somebody else is at work on the table.
    held = states.acquire(table.name, "somebody else", seconds=600)
    for number in reversed(range(1_000)):
        row = f"U,{number % keys},Name {number},L,F,1,A,,C,,1,X,,{number}.00\n"
        stack.land(f"{table.prefix}20240901-{number:09d}.csv", row.encode())
    until(lambda: FileLedger(items).count_pending(table.name) == 1_000, timeout=120)
    states.release(table.name, held.fence)
    stack.start({"table": table.name})
    stack.wait(timeout=120)
    found = {key: row[1] for key, row in rows(stack, table).items()}
    assert found == {number % keys: f"Name {number}" for number in range(1_000 - keys, 1_000)}
    assert [batch["rows_staged"] for batch in stack.batches(table.name)] == [4 * keys]
    assert stack.table_status(table.name).applied_files == 1_000
