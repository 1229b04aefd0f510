"""Mass deletes are held back until a person says so; a replay of what was applied is a no-op."""

from tests.e2e.conftest import FreshTable
from tests.e2e.customers import CHANGES, FILES, SNAPSHOT, model
from tests.e2e.harness import LocalStack
from tests.e2e.test_main_job import rows

ROWS, GONE = 1_200, 700
MANY = "".join(f"{number},Name{',' * 10},1.00\n" for number in range(ROWS)).encode()
DELETES = "".join(f"D,{number}{',' * 12}\n" for number in range(GONE)).encode()
EVER = {"from": "2020-01-01", "to": "2099-01-01"}


def count(stack: LocalStack, table: FreshTable) -> int:
    [[found]] = stack.query(f"select count(*) from {table.name}")
    return int(found)


def test_batch_that_deletes_most_of_a_table_blocks_it_until_it_is_released(
    stack: LocalStack, table: FreshTable
) -> None:
    stack.land(table.prefix + SNAPSHOT, MANY)
    stack.wait()
    stack.land(table.prefix + CHANGES, DELETES)
    waited = stack.command("wait", "--timeout=60", check=False)
    assert waited.returncode == 1
    told = f"MassDeleteError: {table.name}: batch "
    assert told in waited.stderr
    assert f"deletes {GONE} of {ROWS} rows, more than max_deletes (50%) allows" in waited.stderr
    assert f"tidegate release {table.name}" in waited.stderr
    assert (count(stack, table), len(stack.batches(table.name))) == (ROWS, 1)

    stack.land(table.prefix + "20240810-081500000.csv", b"I,5000" + b"," * 12 + b"\n")
    assert stack.table_status(table.name).state == "blocked"
    released = stack.command("release", table.name)
    assert released.stdout.splitlines()[-1] == f"{table.name}: all landed files are loaded"
    stack.wait()
    assert count(stack, table) == ROWS - GONE + 1
    assert stack.table_status(table.name).state == "idle"


def test_nothing_is_released_of_a_table_that_is_not_held_back(
    stack: LocalStack, table: FreshTable
) -> None:
    refused = stack.command("release", table.name, check=False)
    assert refused.returncode == 1
    assert f"no deletes of {table.name} are held back" in refused.stderr


def test_replay_restores_what_is_missing_and_changes_nothing_else(
    stack: LocalStack, table: FreshTable
) -> None:
    files = [(FILES / name).read_bytes() for name in (SNAPSHOT, CHANGES)]
    for name, body in zip((SNAPSHOT, CHANGES), files, strict=True):
        stack.land(table.prefix + name, body)
        stack.wait()
    written = f"select customer_number, _batch from {table.name} order by customer_number"
    before = stack.query(written)
    stack.query(f"delete from {table.name} where customer_number = 112")
    times = [f"--{name}={time}" for name, time in EVER.items()]
    for _ in range(2):
        done = stack.command("replay", table.name, *times)
        assert done.stdout.splitlines()[-1] == f"{table.name}: all landed files are loaded"
    assert rows(stack, table) == model(*files)
    after = stack.query(written)
    assert [row for row in after if row[0] != 112] == [row for row in before if row[0] != 112]
    status = stack.table_status(table.name)
    assert (status.state, status.pending, status.applied_files) == ("idle", 0, 2)
    # The first replay inserts the row that had gone; all else was stale, as all was to the second.
    assert [batch["rows_inserted"] for batch in stack.batches(table.name)[2:]] == [1, 0]


def test_command_with_a_wrong_input_says_what_was_meant(
    stack: LocalStack, table: FreshTable
) -> None:
    wrong = stack.command("replay", table.name, "--from=yesterday", "--to=today", check=False)
    assert wrong.returncode == 1
    assert "InvalidInputError" in wrong.stderr
    assert "from: 'yesterday' is not a time; write it like 2026-01-31T18:00:00Z" in wrong.stderr
