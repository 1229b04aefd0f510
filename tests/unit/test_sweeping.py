"""The sweep starts what is due, frees leases of the dead, and finds what no event told of."""

import boto3
import pytest

from tests.unit.samples import (
    PREFIX,
    Clock,
    Workshop,
    contract,
    landed,
    landed_object,
    ledger_table,
)
from tidegate.batch.plan import Outcome, PreparedFile
from tidegate.errors import ServiceBusyError, SweepFailedError
from tidegate.landing.register_files import RegisterFiles
from tidegate.landing.routing import Router
from tidegate.ledger import Catalogue, FileHistory, FileLedger, StateLedger
from tidegate.sweeping.sweep_tables import FindMissed, SweepTables

TABLE = "sales.orders"


class Sweep:
    """One table, a landing bucket, and the runs that live or were started."""

    def __init__(self) -> None:
        self.ledger = ledger = ledger_table()
        self.clock, self.started, self.living = Clock(), [], set()
        self.failing: set[str] = set()
        self.longest_wait_seconds = 0
        self.files, self.states = FileLedger(ledger), StateLedger(ledger, self.clock)
        self.catalogue = Catalogue(ledger)
        self.shop = Workshop()
        self.contracts = [contract(freshness="10m")]

    def due(self) -> list[str]:
        step = SweepTables(
            routes=[of.route for of in self.contracts],
            catalogue=self.catalogue,
            states=self.states,
            start=self.start,
            is_running=self.living.__contains__,
        )
        swept = step()
        self.longest_wait_seconds = swept.longest_wait_seconds
        swept.failures.raise_any()
        return swept.started

    def missed(self, has_time=lambda: True) -> int:
        history = FileHistory(self.ledger)
        register = RegisterFiles(
            Router(of.route for of in self.contracts), self.files, history, self.states, self.start
        )
        step = FindMissed(
            register=register,
            catalogue=self.catalogue,
            files=self.files,
            s3=boto3.client("s3"),
            landing_bucket=self.shop.landing,
            has_time=has_time,
        )
        return step()

    def start(self, table: str) -> None:
        if table in self.failing:
            raise ServiceBusyError("Step Functions throttled")
        self.started.append(table)

    def land(self, *keys: str) -> None:
        for key in keys:
            self.shop.s3.put_object(Bucket=self.shop.landing, Key=key, Body=b"I,1,Ann\n")

    def pending(self) -> list[str]:
        return [file.key for file in self.files.pending(TABLE)]


@pytest.fixture
def sweep(aws) -> Sweep:
    return Sweep()


def test_table_is_started_when_its_window_is_up(sweep):
    sweep.states.wake(TABLE, landed_at=sweep.states.now())
    sweep.clock.now += 599
    assert sweep.due() == []
    sweep.clock.now += 1
    assert (sweep.due(), sweep.started) == ([TABLE], [TABLE])


def test_table_that_waits_for_nothing_is_not_started(sweep):
    assert (sweep.due(), sweep.started) == ([], [])


def test_blocked_table_waits_for_a_person(sweep):
    sweep.states.wake(TABLE, landed_at=0)
    sweep.states.acquire(TABLE, "run", 60)
    sweep.states.block(TABLE, "run", "why")
    assert sweep.due() == []


def test_table_that_failed_is_started_when_it_is_time_to_try_again(sweep):
    sweep.states.wake(TABLE, landed_at=0)
    sweep.states.acquire(TABLE, "run", 60)
    sweep.states.postpone(TABLE, "run", sweep.states.now() + 120)
    sweep.clock.now += 119
    assert sweep.due() == []
    sweep.clock.now += 1
    assert sweep.due() == [TABLE]


def test_run_that_failed_before_it_noted_anything_is_followed_by_another(sweep):
    sweep.states.record_failure(TABLE, "run", "ServiceBusyError: DynamoDB")
    assert sweep.due() == [TABLE]


def test_longest_wait_is_of_the_table_that_is_latest_beyond_its_freshness(sweep):
    sweep.contracts = [contract(table="a.one", freshness="10m"), contract(table="b.two")]
    now = sweep.states.now()
    assert (sweep.due(), sweep.longest_wait_seconds) == ([], 0)
    sweep.states.wake("a.one", landed_at=now - 900)
    sweep.states.wake("b.two", landed_at=now - 200)
    sweep.failing = {"a.one"}
    with pytest.raises(SweepFailedError):
        sweep.due()
    assert sweep.longest_wait_seconds == 300


def test_table_that_fails_waits_too_though_nothing_is_pending(sweep):
    sweep.states.record_failure(TABLE, "run", "WarehouseBusyError: away")
    sweep.clock.now += 700
    sweep.due()
    assert sweep.longest_wait_seconds == 700


def test_table_that_is_applied_batch_after_batch_does_not_wait(sweep):
    sweep.states.wake(TABLE, landed_at=sweep.states.now() - 9_000)
    held = sweep.states.acquire(TABLE, "run", 60)
    sweep.states.open_batch(TABLE, held.fence, 7, "plan.json")
    sweep.states.close_batch(TABLE, 7, Outcome(), {"applied_files": 1})
    sweep.living = {"run"}
    sweep.clock.now += 660
    sweep.due()
    assert sweep.longest_wait_seconds == 60


def test_blocked_table_does_not_hide_the_others(sweep):
    sweep.states.wake(TABLE, landed_at=0)
    sweep.states.acquire(TABLE, "run", 60)
    sweep.states.block(TABLE, "run", "why")
    sweep.due()
    assert sweep.longest_wait_seconds == 0


def test_table_at_work_is_left_alone(sweep):
    sweep.states.wake(TABLE, landed_at=0)
    sweep.states.acquire(TABLE, "run", 60)
    sweep.living = {"run"}
    assert (sweep.due(), sweep.states.read(TABLE).holder) == ([], "run")


def test_pain_24_lease_of_a_dead_run_is_freed_and_its_batch_taken_up(sweep):
    held = sweep.states.acquire(TABLE, "run", 7200)
    sweep.states.open_batch(TABLE, held.fence, 7, "plan.json")
    assert (sweep.due(), sweep.states.read(TABLE).holder) == ([TABLE], None)


def test_table_that_cannot_be_started_is_named_when_the_others_are(sweep):
    tables = ["a.first", "b.second", "c.third"]
    sweep.contracts = [contract(table=table) for table in tables]
    for table in tables:
        sweep.states.wake(table, landed_at=0)
    sweep.failing = {"a.first", "b.second"}
    with pytest.raises(SweepFailedError, match=r"a\.first: ServiceBusyError.*b\.second: Serv"):
        sweep.due()
    assert sweep.started == ["c.third"]


def test_state_that_cannot_be_read_keeps_back_no_others(sweep):
    tables = ["a.first", "b.second"]
    sweep.contracts = [contract(table=table) for table in tables]
    for table in tables:
        sweep.states.wake(table, landed_at=0)
    sweep.ledger.update("TABLE#a.first", "STATE", "set epoch = :epoch", {":epoch": "many"})
    with pytest.raises(SweepFailedError, match=r"(?s)^these tables .*: a\.first: ValidationError"):
        sweep.due()
    assert sweep.started == ["b.second"]


def test_states_of_many_tables_are_read_in_few_calls(sweep):
    sweep.contracts = [contract(table=f"s.t{number:03}") for number in range(250)]
    sweep.states.wake("s.t249", landed_at=0)
    sweep.due()
    calls = []
    sweep.ledger.client.meta.events.register(
        "before-call.dynamodb", lambda model, **_: calls.append(model.name)
    )
    assert sweep.due() == ["s.t249"]
    assert calls == ["Query", *["BatchGetItem"] * 3]


def test_deployed_tables_are_listed_and_others_struck_out(sweep):
    sweep.catalogue.publish(["old.one", "sales.orders"])
    sweep.contracts = [contract(table="sales.orders"), contract(table="new.one")]
    sweep.due()
    assert sweep.catalogue.tables() == ["new.one", "sales.orders"]


def test_pain_24_objects_without_an_event_are_found(sweep):
    sweep.contracts = [contract()]
    keys = [PREFIX + "1.csv", PREFIX + "2 ü+.csv"]
    sweep.land(*keys, PREFIX, "dms/sales/awsdms_status/1.csv", "other/1.csv")
    assert sweep.missed() == 5
    assert (sweep.pending(), sweep.started) == (keys, [TABLE])
    assert [found.key for found in sweep.files.unrouted()] == ["other/1.csv"]


def test_what_the_ledger_knows_is_left_alone(sweep):
    sweep.contracts = [contract()]
    sweep.land(PREFIX + "1.csv", PREFIX + "2.csv")
    sweep.missed()
    done = next(sweep.files.pending(TABLE))
    sweep.files.settle(TABLE, 7, [done], {done.id: PreparedFile(id=done.id)})
    sweep.started.clear()
    assert (sweep.missed(), sweep.pending()) == (2, [PREFIX + "2.csv"])


@pytest.mark.parametrize("mode", ["upsert", "replace"])
def test_object_whose_event_told_its_version_and_another_time_is_the_same_object(sweep, mode):
    sweep.contracts = [contract(write=mode)]
    sweep.land(PREFIX + "1.csv")
    etag = sweep.shop.s3.head_object(Bucket=sweep.shop.landing, Key=PREFIX + "1.csv")["ETag"]
    told = landed(PREFIX + "1.csv", of=sweep.contracts[0], etag=etag.strip('"'), version="v1")
    sweep.files.register(TABLE, [told])
    sweep.missed()
    assert list(sweep.files.pending(TABLE)) == [told]
    assert sweep.states.read(TABLE).pending_since is not None


def test_long_look_goes_on_where_it_stopped_and_begins_again(sweep, monkeypatch):
    monkeypatch.setattr("tidegate.sweeping.sweep_tables._LISTED_AT_ONCE", 2)
    sweep.land(*(f"{PREFIX}{number}.csv" for number in range(5)))
    looked = [(sweep.missed(has_time=lambda: False), sweep.catalogue.cursor()) for _ in range(4)]
    assert looked == [
        (2, PREFIX + "1.csv"),
        (2, PREFIX + "3.csv"),
        (1, PREFIX + "4.csv"),
        (0, ""),
    ]
    assert len(sweep.pending()) == 5


def test_objects_of_a_table_that_fails_keep_back_no_others(sweep):
    other = contract(table="sales.items", prefix="dms/sales/items/")
    sweep.contracts = [contract(), other]
    sweep.files.add_unrouted(landed_object(PREFIX + "1.csv"))
    sweep.land(PREFIX + "2.csv", "dms/sales/items/1.csv")
    sweep.failing = {TABLE}
    with pytest.raises(SweepFailedError, match=r"sales\.orders: ServiceBusyError"):
        sweep.missed()
    assert sweep.started == ["sales.items"]
    assert [found.key for found in sweep.files.unrouted()] == [PREFIX + "1.csv"]
    sweep.failing = set()
    sweep.missed()
    assert (set(sweep.started), list(sweep.files.unrouted())) == ({"sales.items", TABLE}, [])
    assert sweep.pending() == [PREFIX + "1.csv", PREFIX + "2.csv"]


def test_many_objects_that_a_new_contract_claims_take_the_time_there_is(sweep, monkeypatch):
    monkeypatch.setattr("tidegate.sweeping.sweep_tables._ROUTED_AT_ONCE", 2)
    sweep.contracts = [contract()]
    for number in range(5):
        sweep.files.add_unrouted(landed_object(f"{PREFIX}{number}.csv"))
    sweep.land("other/1.csv")
    # However many are unrouted, the bucket is looked at too: from where the last sweep stopped.
    assert [sweep.missed(has_time=lambda: False) for _ in range(4)] == [1, 0, 1, 0]
    assert [one.key for one in sweep.files.unrouted()] == ["other/1.csv"]
    assert len(sweep.pending()) == 5


def test_unrouted_object_that_a_new_contract_claims_is_registered(sweep):
    sweep.files.add_unrouted(landed_object(PREFIX + "1.csv"))
    sweep.files.add_unrouted(landed_object("other/1.csv"))
    sweep.missed()
    assert sweep.pending() == [PREFIX + "1.csv"]
    assert [found.key for found in sweep.files.unrouted()] == ["other/1.csv"]
