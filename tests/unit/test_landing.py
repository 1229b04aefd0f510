"""What lands is routed, recorded once, and starts its table if that is due."""

import dataclasses
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from pydantic import ValidationError

from tests.unit.samples import (
    CHANGES,
    PREFIX,
    SNAPSHOT,
    Clock,
    contract,
    landed,
    landed_object,
    ledger_table,
)
from tidegate.batch.objects import LandedObject
from tidegate.batch.plan import PreparedFile
from tidegate.contract import Contract
from tidegate.errors import ServiceBusyError
from tidegate.landing.events import read_message
from tidegate.landing.register_files import RegisterFiles
from tidegate.landing.routing import Router, is_data, place
from tidegate.ledger import FileHistory, FileLedger, StateLedger, TableState
from tidegate.runs import is_due, is_running, start_run

EVENTS = Path(__file__).parents[1] / "events"
TABLE = "sales.orders"
LANDED_AT = 1_723_231_637


def message(event: str) -> dict[str, Any]:
    return {"messageId": event, "body": (EVENTS / f"{event}.json").read_text(encoding="utf-8")}


class Landing:
    """register_files with contracts of two tables, and the list of runs it started."""

    def __init__(self, freshness: str = "0s", **more: Any) -> None:
        self.ledger = ledger = ledger_table()
        self.clock, self.started = Clock(), []
        self.files, self.states = FileLedger(ledger), StateLedger(ledger, self.clock)
        others = contract(table="sales.items", prefix="dms/sales/items/")
        self.of = contract(freshness=freshness, **more)
        router = Router([self.of.route, others.route])
        history = FileHistory(ledger, self.clock)
        self.register = RegisterFiles(router, self.files, history, self.states, self.started.append)


@pytest.fixture
def landing(aws) -> Landing:
    return Landing()


@pytest.mark.parametrize(
    ("event", "key", "size", "etag", "version"),
    [
        ("put_object", CHANGES, 1305, "b1946ac92492d2347c6235b4d2611184", None),
        (
            "complete_multipart_upload",
            SNAPSHOT,
            2**30,
            "9b2cf535f27731c974343645a3985328-128",
            None,
        ),
        (
            "versioned",
            PREFIX + "20240809-192717788.csv",
            7,
            "d41d8cd98f00b204e9800998ecf8427e",
            "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
        ),
        (
            "odd_key",
            PREFIX + "2024 08+09/übung%20日本.csv",
            42,
            "e2fc714c4727ee9395f324cd2e7f331f",
            None,
        ),
    ],
)
def test_event_of_s3_tells_of_one_object(event, key, size, etag, version):
    assert read_message(message(event)) == LandedObject(
        key=key, size=size, etag=etag, version=version, landed_at=LANDED_AT
    )


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "{}",
        "null",
        json.dumps({"Event": "s3:TestEvent"}),
        json.dumps({"detail": {"object": {"key": "a"}}}),
    ],
)
def test_message_that_is_no_event_is_refused(body):
    with pytest.raises(ValidationError):
        read_message({"messageId": "1", "body": body})


@pytest.mark.parametrize(
    ("key", "holds_data"),
    [
        (CHANGES, True),
        (PREFIX, False),
        ("dms/sales/awsdms_status/LOAD00000001.csv", False),
        ("dms/awsdms_x/y/LOAD00000001.csv", False),
        ("dms/sales/orders/awsdms_like_name.csv", True),
        ("top.csv", True),
        (PREFIX + "_SUCCESS", False),
        (PREFIX + "_SUCCESS.crc", False),
        (PREFIX + ".part-00000.csv.crc", False),
        (PREFIX + "_started_1234567", False),
        (PREFIX + "_committed_1234567", False),
        (PREFIX + "_metadata", False),
        (PREFIX + "_common_metadata", False),
        (PREFIX + "_temporary/0/task_1/part-00000.csv", False),
        (PREFIX + "_spark_metadata/0", False),
        (PREFIX + "part-00000.csv._COPYING_", False),
        ("dms/sales/orders_$folder$", False),
        (PREFIX + ".DS_Store", False),
        (PREFIX + "_orders.csv", True),
        (PREFIX + ".orders.csv", True),
        (PREFIX + "_year=2024/part-00000.csv", True),
        (PREFIX + "orders.crc", True),
        (PREFIX + "SUCCESS", True),
        (PREFIX + "x_SUCCESS", True),
    ],
)
def test_markers_and_control_tables_of_dms_hold_no_data(key, holds_data):
    assert is_data(key) == holds_data


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("LOAD00000001.csv", 0),
        ("LOAD0000000A.csv.gz", 0),
        ("SEGMENT1_LOAD00000001.csv", 0),
        ("20240809-192717787.csv", 1),
        ("load1.csv", 1),
        ("LOAD_2024-08-09.parquet", 0),
        ("part1_LOAD00000001.csv", 0),
        ("PAYLOAD-2.jsonl", 1),
        ("WORKLOAD00000001.csv", 1),
        ("LOADER-1.csv", 1),
        ("a_LOADS-1.csv", 1),
    ],
)
@pytest.mark.parametrize("folder", ["", "2024/08/09/"])
def test_full_load_files_are_snapshots(name, kind, folder):
    assert place(landed_object(PREFIX + folder + name), contract().route).kind == kind


@pytest.mark.parametrize("names", ["full-?.csv", ["full-?.csv"], ["x*", "full-*"]])
def test_contract_may_say_which_files_are_snapshots(names):
    source = {"prefix": PREFIX, "format": "dms_csv", "snapshot": names}
    of = contract(source=source)
    kinds = [landed(PREFIX + name, of=of).kind for name in ("full-1.csv", "LOAD1.csv")]
    assert kinds == [0, 1]
    assert Contract.model_validate(of.as_written()) == of


def test_objects_go_to_the_contract_that_claims_their_folder(landing):
    keys = [
        CHANGES,
        "dms/sales/items/1.csv",
        "dms/sales/orders2/1.csv",
        "dms/sales/awsdms_status/1.csv",
    ]
    done = landing.register([landed_object(key) for key in keys])
    assert done.counts == {"sales.orders": 1, "sales.items": 1, "unrouted": 1}
    assert [file.key for file in landing.files.pending(TABLE)] == [CHANGES]
    assert [found.key for found in landing.files.unrouted()] == ["dms/sales/orders2/1.csv"]
    assert landing.started == ["sales.orders", "sales.items"]


def test_table_that_cannot_be_written_or_started_keeps_back_its_own_objects_only(landing):
    def start(table):
        if table == TABLE:
            raise ServiceBusyError("Step Functions throttled")
        landing.started.append(table)

    failing, other = landed_object(), landed_object("dms/sales/items/1.csv")
    register = dataclasses.replace(landing.register, start=start)
    done = register([failing, other])
    assert (done.failed, list(done.failures)) == ({failing}, [TABLE])
    assert done.counts == {"sales.items": 1, "unrouted": 0}
    assert landing.started == ["sales.items"]
    landing.register([failing])
    assert landing.started == ["sales.items", TABLE]


def test_object_of_no_contract_that_cannot_be_written_keeps_back_no_table(landing, monkeypatch):
    def refuse(landed):
        raise ServiceBusyError("DynamoDB throttled")

    monkeypatch.setattr(landing.files, "add_unrouted", refuse)
    stray = landed_object("other/1.csv")
    done = landing.register([stray, landed_object()])
    assert (done.failed, list(done.failures)) == ({stray}, ["unrouted"])
    assert landing.started == [TABLE]


def test_many_objects_start_their_table_once(landing):
    landing.register([landed_object(f"{PREFIX}{number}.csv") for number in range(40)])
    assert landing.started == [TABLE]


def test_death_between_recording_and_starting_loses_nothing(landing):
    landing.files.register(TABLE, [landed()])
    landing.register([landed_object()])
    assert (landing.started, landing.files.count_pending(TABLE)) == ([TABLE], 1)


def test_applied_object_told_of_again_starts_nothing(landing):
    landing.files.register(TABLE, [landed()])
    landing.files.settle(TABLE, 7, [landed()], {landed().id: PreparedFile(id=landed().id)})
    landing.register([landed_object()])
    assert (landing.started, landing.states.read(TABLE).wake) == ([], 0)


def test_running_table_is_woken_not_started(landing):
    held = landing.states.acquire(TABLE, "run", 60)
    landing.register([landed_object()])
    assert landing.started == []
    assert not landing.states.release(TABLE, held.fence, seen_wake=held.wake)


def test_fresh_enough_table_waits(aws):
    landing = Landing(freshness="15m")
    landing.clock.now = LANDED_AT + 899
    landing.register([landed_object()])
    assert (landing.started, landing.states.read(TABLE).pending_since) == ([], LANDED_AT)
    landing.clock.now = LANDED_AT + 900
    landing.register([landed_object(SNAPSHOT)])
    assert landing.started == [TABLE]


def test_blocked_table_is_recorded_and_not_started(landing):
    landing.states.acquire(TABLE, "run", 60)
    landing.states.block(TABLE, "run", "why")
    landing.register([landed_object()])
    assert (landing.started, landing.files.count_pending(TABLE)) == ([], 1)


@pytest.mark.parametrize(
    ("state", "due"),
    [
        (TableState(), False),
        (TableState(pending_since=40), True),
        (TableState(pending_since=41), False),
        (TableState(open_batch=7), True),
        (TableState(pending_since=101), False),
        (TableState(pending_since=0, blocked_by="run"), False),
        (TableState(pending_since=0, holder="x", lease_expires=101), False),
        (TableState(pending_since=0, holder="x", lease_expires=100), True),
    ],
)
def test_table_is_due_when_work_waited_its_time_and_nobody_is_at_it(state, due):
    assert is_due(state, timedelta(minutes=1), now=100) == due


def test_event_from_a_clock_that_is_ahead_starts_a_table_that_does_not_wait():
    assert is_due(TableState(pending_since=101), timedelta(0), now=100)


def test_each_run_has_a_name_of_its_own_that_step_functions_takes(aws):
    client = boto3.client("stepfunctions")
    machine = client.create_state_machine(
        name="load-table", definition="{}", roleArn="arn:aws:iam::123456789012:role/x"
    )["stateMachineArn"]
    table = 'odd "schema".' + "ta:b/le" * 20
    runs = {start_run(client, machine, table) for _ in range(3)}
    names = {run.rpartition(":")[2] for run in runs}
    assert len(names) == 3
    assert all(len(name) <= 80 and name.startswith("odd-schema-ta-b-le") for name in names)
    given = client.describe_execution(executionArn=runs.pop())["input"]
    assert json.loads(given) == {"table": table}


def test_run_that_step_functions_forgot_does_not_run(aws):
    client = boto3.client("stepfunctions")
    arn = "arn:aws:states:us-east-1:123456789012:execution:load-table:gone"
    assert not is_running(client, arn)


def settle(landing: Landing, landed: LandedObject, reason: str | None) -> None:
    file = place(landed, landing.of.route)
    landing.files.settle(TABLE, 7, [file], {file.id: PreparedFile(id=file.id, quarantined=reason)})


NUMBERED = {"sequence": ["name"]}


@pytest.mark.parametrize(
    ("reason", "more", "key"),
    [
        ("not UTF-8", NUMBERED, CHANGES),
        ("not UTF-8", {}, CHANGES),
        (None, {}, CHANGES),
        (None, NUMBERED, SNAPSHOT),
        (None, {"write": "replace"}, CHANGES),
    ],
)
def test_object_that_lands_again_waits_again_if_it_was_refused_or_may_be_newest(
    aws, reason, more, key
):
    landing = Landing(**more)
    first = landed_object(key)
    landing.register([first])
    settle(landing, first, reason)
    for told in (first, first.model_copy(update={"landed_at": first.landed_at - 1})):
        landing.register([told])
        assert landing.files.count_pending(TABLE) == 0
    again = first.model_copy(update={"landed_at": first.landed_at + 60, "version": "v2"})
    landing.started.clear()
    landing.register([again, again])
    [waits] = landing.files.pending(TABLE)
    assert (waits.version, waits.landed_at) == ("v2", again.landed_at)
    assert landing.started == [TABLE]
    state = landing.states.read(TABLE)
    assert (state.quarantined_files, state.applied_files) == ((-1, 0) if reason else (0, -1))


def test_changes_that_were_refused_before_a_refresh_are_older_than_its_snapshot(aws):
    landing = Landing()
    first = landed_object()
    landing.register([first])
    settle(landing, first, "not UTF-8")
    # A refresh was the batch after the one that refused the file.
    landing.ledger.update("TABLE#sales.orders", "STATE", "set epoch_from = :n", {":n": 8})
    landing.register([first.model_copy(update={"landed_at": first.landed_at + 60})])
    [waits] = landing.files.pending(TABLE)
    assert waits.landed_at == first.landed_at


@pytest.mark.parametrize("is_known", [False, True])
def test_of_one_object_that_is_told_of_twice_at_once_the_last_landing_counts(landing, is_known):
    first = landed_object()
    again = first.model_copy(update={"landed_at": first.landed_at + 60})
    if is_known:
        landing.register([first])
        settle(landing, first, None)
    landing.register([again, first])
    [waits] = landing.files.pending(TABLE)
    assert waits.landed_at == again.landed_at


def test_file_that_lands_again_while_its_batch_is_committed_waits_on(landing):
    first = landed_object()
    landing.register([first])
    settle(landing, first, None)
    landing.register([first.model_copy(update={"landed_at": first.landed_at + 60})])
    settle(landing, first, None)
    [waits] = landing.files.pending(TABLE)
    assert waits.landed_at == first.landed_at + 60


def test_snapshot_that_returns_while_it_still_waits_is_one_more(aws):
    landing = Landing(write="replace")
    first = landed_object()
    between = first.model_copy(update={"etag": "of another", "landed_at": first.landed_at + 1})
    returns = first.model_copy(update={"landed_at": first.landed_at + 2})
    landing.register([first, between])
    landing.register([returns])
    landing.register([returns, between])
    assert [file.landed_at - first.landed_at for file in landing.files.pending(TABLE)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("more", "key"),
    [(NUMBERED, CHANGES), ({"write": "append"}, CHANGES), ({"write": "append"}, SNAPSHOT)],
)
def test_object_that_was_applied_and_changes_nothing_is_left_alone_when_it_lands_again(
    aws, more, key
):
    landing = Landing(**more)
    first = landed_object(key)
    landing.register([first])
    settle(landing, first, None)
    landing.register([first.model_copy(update={"landed_at": first.landed_at + 60})])
    assert landing.files.count_pending(TABLE) == 0
