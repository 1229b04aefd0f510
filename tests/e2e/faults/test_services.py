"""Services refuse, drop, fill up or deliver twice: the outcome is always the same."""

import json
import resource
from collections.abc import Iterator

import pytest

from tests.e2e.faults.aws_proxy import Answer
from tests.e2e.faults.boundaries import CALLS, numbered
from tests.e2e.faults.calls import Boundary, Call
from tests.e2e.faults.changes import Customers
from tests.e2e.faults.tables import Table, Tables
from tests.e2e.faults.warehouse_proxy import Refusal
from tests.e2e.faults.watch import KILLED, Act, Fault

SLOW_DOWN = Answer(
    503,
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
    {"Content-Type": "application/xml"},
)
THROTTLED = Answer(
    400,
    json.dumps(
        {
            "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
            "message": "The level of configured provisioned throughput was exceeded.",
        }
    ).encode(),
    {"Content-Type": "application/x-amz-json-1.0"},
)
# As redshift_connector shows it: https://github.com/aws/aws-sdk-pandas/issues/665
VIOLATION = Refusal("XX000", "1023", "Serializable isolation violation on table - 119371")
TINY = 16  # bytes


@pytest.fixture
def table(tables: Tables) -> Iterator[Table[Customers]]:
    with tables.loaded() as table:
        yield table


def test_s3_that_asks_to_slow_down_at_every_call_is_asked_again(table: Table[Customers]) -> None:
    slow = at_each_call("s3:", lambda _: SLOW_DOWN)
    assert len(slow) > 10
    load_late_changes(table, *slow)
    assert not has_failed(table)


def test_dynamodb_that_throttles_every_call_is_asked_again(table: Table[Customers]) -> None:
    throttled = at_each_call("dynamodb:", lambda _: THROTTLED)
    assert len(throttled) > 10
    load_late_changes(table, *throttled)
    assert not has_failed(table)


def test_1023_is_tried_again_by_the_job_itself(table: Table[Customers]) -> None:
    violated = [
        Fault(Boundary("load_batch", "before", 1, f"redshift:{verb}"), lambda _: VIOLATION)
        for verb in ("lock", "merge", "commit")
    ]
    load_late_changes(table, *violated)
    assert not has_failed(table)


@pytest.mark.parametrize("verb", ["connect", "copy", "merge"])
def test_a_redshift_that_drops_the_connection_is_tried_again_by_the_run(
    table: Table[Customers], verb: str
) -> None:
    dropped = Fault(Boundary("load_batch", "before", 1, f"redshift:{verb}"), lambda _: KILLED)
    load_late_changes(table, dropped)
    assert has_failed(table)


def test_a_commit_whose_answer_is_lost_is_not_done_twice(table: Table[Customers]) -> None:
    lost = Fault(Boundary("load_batch", "after", 1, "redshift:commit"), lambda _: KILLED)
    load_late_changes(table, lost)
    assert has_failed(table)


def test_a_full_disk_in_prepare_is_not_blamed_on_the_file(table: Table[Customers]) -> None:
    full: list[int] = []

    def fill(call: Call) -> None:
        full.append(call.pid)
        limit_files(call.pid, TINY)

    def make_room(_: Call) -> None:
        limit_files(full[0], resource.RLIM_INFINITY)

    load_late_changes(
        table,
        Fault(Boundary("prepare_chunk", "before", 2, "s3:GetObject"), fill),
        Fault(Boundary("fail_batch", "before", 1, "dynamodb:GetItem"), make_room),
    )


def test_messages_that_come_twice_and_out_of_order_are_one_change_each(
    table: Table[Customers],
) -> None:
    before = len(table.stack.batches(table.name))
    landed = [table.landed.add_late() for _ in range(3)]
    for files in [*reversed(landed), *landed]:
        table.land(files)
    table.settle()
    new = table.stack.batches(table.name)[before:]
    assert (total(new, "rows_inserted"), total(new, "rows_deleted")) == (3, 3)
    table.landed.batches[before:] = new
    table.check()


def at_each_call(service: str, act: Act) -> list[Fault]:
    """Return a fault at each call to a service in a load of late changes."""
    return [
        Fault(Boundary(step, "before", nth, name), act)
        for step, calls in CALLS["late changes"].items()
        for nth, name in numbered(calls)
        if name.startswith(service)
    ]


def load_late_changes(table: Table[Customers], *faults: Fault) -> None:
    table.watch(*faults)
    table.land(table.landed.add_late())
    table.wait_for(*faults)
    table.check()


def has_failed(table: Table[Customers]) -> bool:
    """Return whether a run of the table has reached fail_batch since the watch began."""
    return any(call.step == "fail_batch" for call in table.stack.watch.calls(table.name))


def limit_files(pid: int, size: int) -> None:
    """Limit a process's files to `size` bytes, so that writing fails as on a full disk."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def total(batches: list[dict[str, int]], name: str) -> int:
    return sum(batch[name] for batch in batches)
