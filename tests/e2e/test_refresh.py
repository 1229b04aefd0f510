"""Full refresh: the newest snapshot replaces the rows; readers see the old or the new, whole."""

import subprocess
import time

import pytest

from tests.e2e.conftest import FreshTable
from tests.e2e.customers import CHANGES, FILES, SNAPSHOT, model
from tests.e2e.harness import LocalStack, until
from tests.e2e.proxy import Proxy
from tests.e2e.test_crashes import MOMENTS, kill_job, warehouse_behind
from tests.e2e.test_main_job import rows
from tests.e2e.tls import Tls

LATER = "20240810-081500000.csv"
OLD, FIRST_CHANGES, NEXT_CHANGES = (
    (FILES / name).read_bytes() for name in (SNAPSHOT, CHANGES, LATER)
)
# The source has lost one customer since, and another one was renamed, unseen by change capture.
NEW = b"\n".join(OLD.split(b"\n")[1:]).replace(b"Signal Lane Gifts", b"Signal Lane & Sons")
FEW = b"\n".join(OLD.split(b"\n")[:3]) + b"\n"


def next_second() -> None:
    """S3 tells the time of an object in whole seconds; two loads are farther apart than that."""
    began = int(time.time())
    until(lambda: int(time.time()) > began)


def load_again(stack: LocalStack, table: FreshTable, snapshot: bytes) -> None:
    """What a reload of the table by DMS does: the file of the load before is overwritten."""
    next_second()
    stack.land(table.prefix + SNAPSHOT, snapshot)
    stack.wait()


def refresh(
    stack: LocalStack, table: FreshTable, *options: str
) -> subprocess.CompletedProcess[str]:
    return stack.command("refresh", table.name, *options, check=False)


@pytest.fixture
def loaded(stack: LocalStack, table: FreshTable) -> FreshTable:
    stack.land(table.prefix + SNAPSHOT, OLD)
    stack.land(table.prefix + CHANGES, FIRST_CHANGES)
    stack.wait()
    return table


def test_refresh_makes_the_table_equal_to_the_newest_snapshot(
    stack: LocalStack, loaded: FreshTable
) -> None:
    load_again(stack, loaded, NEW)
    assert rows(stack, loaded) != model(NEW)
    done = refresh(stack, loaded)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == (
        f"{loaded.name} is refreshed: 7 rows inserted, 0 rows updated, 9 rows deleted"
    )
    assert rows(stack, loaded) == model(NEW)
    status = stack.table_status(loaded.name)
    assert (status.state, status.applied_files, status.pending) == ("idle", 3, 0)


def test_rows_of_a_snapshot_that_are_refused_are_told(
    stack: LocalStack, loaded: FreshTable
) -> None:
    load_again(stack, loaded, NEW + NEW.split(b"\n")[0].replace(b",", b"x,", 1) + b"\n")
    done = refresh(stack, loaded)
    assert done.stdout.splitlines()[-2:] == [
        f"{loaded.name} is refreshed: 7 rows inserted, 0 rows updated, 9 rows deleted",
        f"{loaded.name} lacks 1 row in quarantine; see: tidegate quarantine {loaded.name}",
    ]
    assert rows(stack, loaded) == model(NEW)


def test_changes_that_are_newer_than_the_snapshot_stay_applied(
    stack: LocalStack, loaded: FreshTable
) -> None:
    load_again(stack, loaded, NEW)
    stack.land(loaded.prefix + LATER, NEXT_CHANGES)
    stack.wait()
    assert refresh(stack, loaded).returncode == 0
    assert rows(stack, loaded) == model(NEW, NEXT_CHANGES)
    assert stack.table_status(loaded.name).applied_files == 4


def test_pain_13_changes_that_land_meanwhile_come_after_and_readers_see_the_old_rows(
    stack: LocalStack, loaded: FreshTable
) -> None:
    load_again(stack, loaded, NEW)
    before = rows(stack, loaded)
    batches = len(stack.batches(loaded.name))
    with stack.held(loaded.name):
        run = stack.start({"table": loaded.name, "mode": "full_refresh"})
        until(lambda: stack.table_status(loaded.name).state == "running")
        stack.land(loaded.prefix + LATER, NEXT_CHANGES)
        until(lambda: stack.table_status(loaded.name).pending == 1)
        assert rows(stack, loaded) == before
    assert stack.finished(run)["status"] == "SUCCEEDED"
    stack.wait()
    assert rows(stack, loaded) == model(NEW, NEXT_CHANGES)
    assert len(stack.batches(loaded.name)) == batches + 2


def test_pain_13_grants_views_and_comments_survive_a_refresh(
    stack: LocalStack, loaded: FreshTable
) -> None:
    table = loaded.name
    schema, name = table.split(".")
    stack.query(f"create view {table}_names as select customer_name from {table}")
    # Redshift keeps grants, comments and owners by the table's number; the local warehouse none.
    found = f"""where "schema" = '{schema}' and "table" = '{name}'"""
    number = f"select table_id from svv_table_info {found}"
    load_again(stack, loaded, NEW)
    [before] = stack.query(number)
    assert refresh(stack, loaded).returncode == 0
    assert stack.query(number) == [before]
    assert len(stack.query(f"select * from {table}_names")) == 7


@pytest.mark.parametrize("snapshot", [FEW, b""], ids=["below the floor", "of zero rows"])
def test_pain_12_too_small_a_snapshot_is_refused_with_both_counts_unless_forced(
    stack: LocalStack, loaded: FreshTable, snapshot: bytes
) -> None:
    load_again(stack, loaded, snapshot)
    before = rows(stack, loaded)
    refused = refresh(stack, loaded)
    assert refused.returncode == 1
    told = f"it has {len(model(snapshot))} rows and the table has 9, fewer than refresh_floor (50%)"
    assert told in refused.stderr
    assert rows(stack, loaded) == before
    assert stack.table_status(loaded.name).state == "idle"
    assert refresh(stack, loaded, "--force").returncode == 0
    assert rows(stack, loaded) == model(snapshot)


def test_snapshot_with_a_file_that_cannot_be_read_is_refused(
    stack: LocalStack, loaded: FreshTable
) -> None:
    stack.land(loaded.prefix + "LOAD00000002.csv", b"only,three,columns\n")
    stack.wait()
    refused = refresh(stack, loaded)
    assert refused.returncode == 1
    assert "RefreshRefusedError" in refused.stderr
    assert "1 of 3 files cannot be read" in refused.stderr


def test_table_without_a_snapshot_is_not_refreshed(stack: LocalStack, table: FreshTable) -> None:
    stack.land(table.prefix + CHANGES, FIRST_CHANGES)
    stack.wait()
    refused = refresh(stack, table)
    assert refused.returncode == 1
    assert (
        f"no file under '{table.prefix}' has a name like 'LOAD[!A-Za-z]*' or '*_LOAD"
        in refused.stderr
    )
    assert rows(stack, table) == model(FIRST_CHANGES)


@pytest.mark.parametrize("moment", MOMENTS)
def test_refresh_whose_job_is_killed_is_done_once(
    stack: LocalStack, loaded: FreshTable, moment: str
) -> None:
    load_again(stack, loaded, NEW)
    before = len(stack.batches(loaded.name))
    target, tls = int(stack.variables["PGPORT"]), Tls.of(stack.variables)
    proxy = Proxy(target=target, tls=tls, act=lambda: kill_job(loaded), **MOMENTS[moment])
    with warehouse_behind(stack, proxy):
        run = stack.start({"table": loaded.name, "mode": "full_refresh"})
        until(proxy.seen.is_set, what="the statement did not come by")
        assert stack.finished(run)["status"] == "SUCCEEDED"
    assert rows(stack, loaded) == model(NEW)
    [batch] = stack.batches(loaded.name)[before:]
    assert (batch["rows_inserted"], batch["rows_deleted"]) == (7, 9)
    status = stack.table_status(loaded.name)
    assert (status.state, status.applied_files, status.pending) == ("idle", 3, 0)


def test_refresh_waits_for_the_run_that_holds_the_table(
    stack: LocalStack, loaded: FreshTable
) -> None:
    load_again(stack, loaded, NEW)
    with stack.held(loaded.name):
        stack.land(loaded.prefix + LATER, NEXT_CHANGES)
        until(lambda: stack.table_status(loaded.name).state == "running")
        run = stack.start({"table": loaded.name, "mode": "full_refresh"})
        time.sleep(1)
    assert stack.finished(run)["status"] == "SUCCEEDED"
    stack.wait()
    assert rows(stack, loaded) == model(NEW, NEXT_CHANGES)
