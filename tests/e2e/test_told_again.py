"""An object that is told of twice, not told of at all, or landed again is loaded all the same."""

import json
import time

import pytest

from tests.e2e.conftest import UNHEARD, FreshTable
from tests.e2e.customers import CHANGES, FILES, SNAPSHOT, model
from tests.e2e.harness import LocalStack, until
from tests.e2e.test_main_job import rows
from tests.e2e.test_refresh import next_second
from tidegate.batch.objects import LandedObject
from tidegate.ledger import FileLedger, LedgerTable

LATER = "20240810-081500000.csv"


@pytest.fixture
def loaded(stack: LocalStack, table: FreshTable) -> FreshTable:
    stack.land(table.prefix + SNAPSHOT, read(SNAPSHOT))
    stack.wait()
    return table


def test_an_object_that_is_told_of_twice_is_applied_once_and_leaves_no_message(
    stack: LocalStack, loaded: FreshTable
) -> None:
    batches = stack.batches(loaded.name)
    tell(stack, loaded.prefix + SNAPSHOT)
    stack.wait()
    assert stack.batches(loaded.name) == batches
    assert stack.table_status(loaded.name).applied_files == 1


def test_an_object_that_was_gone_when_its_turn_came_is_loaded_when_it_lands_again(
    stack: LocalStack, loaded: FreshTable
) -> None:
    landing = stack.variables["TIDEGATE_LANDING_BUCKET"]
    later = {"Bucket": landing, "Key": loaded.prefix + LATER}
    with stack.held(loaded.name):
        stack.land(loaded.prefix + CHANGES, read(CHANGES))
        until(lambda: stack.table_status(loaded.name).state == "running", what="no run began")
        version = stack.s3.put_object(**later, Body=read(LATER))["VersionId"]
        pending = lambda: stack.table_status(loaded.name).pending == 2  # noqa: E731
        until(pending, what="the second file was not registered")
        stack.s3.delete_object(**later, VersionId=version)
    stack.wait()
    assert stack.command("quarantine", loaded.name).stdout.splitlines() == [
        f"{loaded.name}: {later['Key']}: the object was deleted before it was read; land it again"
    ]
    next_second()
    stack.land(later["Key"], read(LATER))
    stack.wait()
    assert rows(stack, loaded) == model(*map(read, (SNAPSHOT, CHANGES, LATER)))
    status = stack.table_status(loaded.name)
    assert (status.applied_files, status.quarantined_files) == (3, 0)


def test_an_object_without_an_event_is_found_and_may_bring_a_column(stack: LocalStack) -> None:
    key = f"{UNHEARD['source']['prefix']}20240809-1.csv"
    with stack.unheard():
        stack.land(key, b"Op,id,name,remark\nI,1,a,b\n")
    assert "FunctionError" not in stack.sweep("missed")
    stack.wait()
    assert stack.query(f"select id, name, remark from {UNHEARD['table']}") == [[1, "a", "b"]]


def test_an_object_that_waited_for_a_contract_is_loaded_when_one_is_deployed(
    stack: LocalStack, table: FreshTable
) -> None:
    files = FileLedger(
        LedgerTable(stack.client("dynamodb"), stack.variables["TIDEGATE_LEDGER_TABLE"])
    )
    key = table.prefix + SNAPSHOT
    with stack.unheard():
        stack.land(key, read(SNAPSHOT))
    files.add_unrouted(look_at(stack, key))  # as before there was the contract
    assert "FunctionError" not in stack.sweep("missed")
    stack.wait()
    assert rows(stack, table) == model(read(SNAPSHOT))
    assert key not in {one.key for one in files.unrouted()}


def tell(stack: LocalStack, key: str) -> None:
    """Tell of an object once more, as S3 may."""
    landed = look_at(stack, key)
    told = {"key": key, "size": landed.size, "etag": landed.etag, "version-id": landed.version}
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(landed.landed_at))
    stack.client("sqs").send_message(
        QueueUrl=stack.variables["TIDEGATE_LANDING_QUEUE_URL"],
        MessageBody=json.dumps({"time": at, "detail": {"object": told}}),
    )


def look_at(stack: LocalStack, key: str) -> LandedObject:
    head = stack.s3.head_object(Bucket=stack.variables["TIDEGATE_LANDING_BUCKET"], Key=key)
    return LandedObject(
        key=key,
        etag=head["ETag"].strip('"'),
        size=head["ContentLength"],
        landed_at=int(head["LastModified"].timestamp()),
        version=head["VersionId"],
    )


def read(name: str) -> bytes:
    return (FILES / name).read_bytes()
