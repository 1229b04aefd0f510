"""What a deployed Tidegate says is still to be done."""

import boto3
import pytest

from tests.unit.samples import contract, landed, ledger_table
from tidegate.batch.refresh import Refresh
from tidegate.ledger import Catalogue, FileLedger, RefreshLedger, StateLedger
from tidegate.status import Deployed

TABLE = contract().table


class Watched:
    """A ledger with one table, a queue, and what they tell."""

    def __init__(self) -> None:
        ledger = ledger_table()
        self.files, self.states = FileLedger(ledger), StateLedger(ledger)
        self.refreshes = RefreshLedger(ledger)
        Catalogue(ledger).publish([contract().table])
        self.sqs = boto3.client("sqs")
        self.queue = self.sqs.create_queue(QueueName=ledger.name)["QueueUrl"]
        self.deployed = Deployed(ledger, self.sqs, self.queue)

    def left(self) -> list[tuple[str, int, bool] | int]:
        """Of each table with work its state, pending files, and whether a refresh is wanted."""
        return [
            one if isinstance(one, int) else (one.state, one.pending, one.refresh_wanted)
            for one in self.deployed.left()
        ]


@pytest.fixture
def watched(aws) -> Watched:
    return Watched()


def test_nothing_is_left_of_a_table_for_which_nothing_landed(watched):
    assert watched.left() == []


def test_a_file_is_left_until_it_is_applied(watched):
    watched.files.register(TABLE, [landed()])
    watched.states.wake(TABLE, landed_at=watched.states.now())
    assert watched.left() == [("idle", 1, False)]


def test_a_table_is_left_while_a_run_holds_it(watched):
    watched.states.acquire(TABLE, "a run", 60)
    assert watched.left() == [("running", 0, False)]


def test_a_refresh_that_no_run_has_begun_is_left(watched):
    watched.refreshes.want(TABLE, Refresh(run="a run that died"))
    assert watched.left() == [("idle", 0, True)]


def test_an_object_that_is_not_registered_yet_is_left(watched):
    watched.sqs.send_message(QueueUrl=watched.queue, MessageBody="{}")
    assert watched.left() == [1]


def test_a_table_that_waits_to_be_tried_again_says_when(watched):
    watched.states.acquire(TABLE, "a run", 60)
    watched.states.record_failure(TABLE, "a run", "WarehouseBusyError: away")
    watched.states.postpone(TABLE, "a run", 1_800_000_000)
    [found] = watched.deployed.left()
    assert (found.state, found.attempts) == ("waiting", 1)
    assert '"retry_at":"2027-01-15T08:00:00Z"' in found.model_dump_json()
    assert found.last_error == "WarehouseBusyError: away"


def test_a_table_that_waited_and_is_loaded_says_nothing_of_it_any_more(watched):
    watched.states.acquire(TABLE, "a run", 60)
    watched.states.record_failure(TABLE, "a run", "WarehouseBusyError: away")
    watched.states.postpone(TABLE, "a run", 1)
    held = watched.states.acquire(TABLE, "another", 60)
    assert watched.states.release(TABLE, held.fence, seen_wake=held.wake)
    [found] = watched.deployed.status().tables
    assert (found.state, found.attempts, found.retry_at, found.last_error) == (
        *("idle", 0, None, None),
    )
