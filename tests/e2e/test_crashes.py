"""A job that is killed anywhere: the next attempt ends in the same rows and counts, once."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.conftest import FreshTable
from tests.e2e.customers import CHANGES, FILES, SNAPSHOT, model
from tests.e2e.harness import LocalStack, until
from tests.e2e.proxy import Proxy
from tests.e2e.test_main_job import rows
from tests.e2e.tls import Tls


@contextmanager
def warehouse_behind(stack: LocalStack, proxy: Proxy) -> Iterator[None]:
    """Let the job find the proxy where the warehouse was: as a DBA would, in the secret."""
    secrets = stack.client("secretsmanager")
    [listed] = secrets.list_secrets()["SecretList"]
    before = secrets.get_secret_value(SecretId=listed["ARN"])["SecretString"]
    moved = json.dumps({**json.loads(before), "port": proxy.port})
    secrets.put_secret_value(SecretId=listed["ARN"], SecretString=moved)
    try:
        yield
    finally:
        secrets.put_secret_value(SecretId=listed["ARN"], SecretString=before)
        proxy.close()


def kill_job(table: FreshTable) -> None:
    """Kill -9 the Glue process that works on `table`."""
    listing = subprocess.run(
        ["ps", "-axwwo", "pid=,command="], check=True, capture_output=True, text=True
    ).stdout
    jobs = [line for line in listing.splitlines() if "--plan" in line and f"/{table.name}/" in line]
    assert jobs, "no job runs for the table"
    for line in jobs:
        os.kill(int(line.split()[0]), signal.SIGKILL)


MOMENTS = {
    "during COPY": {"statement": b"copy ", "forward": True, "answered": False},
    "after the merge, before commit": {"statement": b"commit", "forward": False, "answered": False},
    "after commit, before commit_batch": {
        "statement": b"commit",
        "forward": True,
        "answered": True,
    },
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_pain_10_a_killed_job_is_made_good_by_the_next_attempt(
    stack: LocalStack, table: FreshTable, moment: str
) -> None:
    snapshot, changes = ((FILES / name).read_bytes() for name in (SNAPSHOT, CHANGES))
    stack.land(table.prefix + SNAPSHOT, snapshot)
    stack.wait()
    target, tls = int(stack.variables["PGPORT"]), Tls.of(stack.variables)
    proxy = Proxy(target=target, tls=tls, act=lambda: kill_job(table), **MOMENTS[moment])
    with warehouse_behind(stack, proxy):
        stack.land(table.prefix + CHANGES, changes)
        until(proxy.seen.is_set, what="the statement did not come by")
        stack.wait()
    assert rows(stack, table) == model(snapshot, changes)
    once = {
        "rows_staged": 1,
        "rows_inserted": 1,
        "rows_updated": 0,
        "rows_deleted": 0,
        "rows_stale": 0,
    }
    assert stack.batches(table.name)[1:] == [once]
    status = stack.table_status(table.name)
    assert (status.state, status.applied_files, status.pending) == ("idle", 2, 0)
