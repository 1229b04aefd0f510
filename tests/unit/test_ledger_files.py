"""Each landed object stands in the ledger once, in one state, in source order."""

from collections import Counter

import boto3
import pytest

from tests.unit.samples import CHANGES, PREFIX, SNAPSHOT, items, landed, landed_object, ledger_table
from tidegate.batch.plan import PreparedFile
from tidegate.ledger import FileLedger, LedgerTable, Registered

TABLE = "sales.orders"
ODD_KEYS = [
    PREFIX + "n" * (1024 - len(PREFIX)),
    PREFIX + "日本/" + "é" * 400 + ".csv",
    PREFIX + "a folder/with blanks +plus%20.csv",
    PREFIX + "a#b.csv",
]


@pytest.fixture
def table(aws) -> LedgerTable:
    return ledger_table()


@pytest.fixture
def files(table) -> FileLedger:
    return FileLedger(table)


def prepared(*landed_files, quarantined: str | None = None) -> dict[str, PreparedFile]:
    return {
        file.id: PreparedFile(id=file.id, records=3, refused=1, quarantined=quarantined)
        for file in landed_files
    }


def test_object_registered_again_and_again_is_one_record(table, files):
    assert files.register(TABLE, [landed()]) == {Registered.NEW}
    assert files.register(TABLE, [landed(), landed()]) == {Registered.PENDING}
    assert files.register(TABLE, [landed()]) == {Registered.PENDING}
    assert list(files.pending(TABLE)) == [landed()]


def test_object_told_of_twice_at_once_is_one_record(files):
    assert files.register(TABLE, [landed(), landed()]) == {Registered.NEW}
    assert files.count_pending(TABLE) == 1


def test_object_that_another_registers_in_the_same_moment_is_one_record(table, files):
    one, two = landed(), landed(SNAPSHOT)
    rival = FileLedger(LedgerTable(boto3.client("dynamodb"), table.name))

    def be_faster(**_):
        rival.register(TABLE, [one])

    table.client.meta.events.register("before-call.dynamodb.TransactWriteItems", be_faster)
    assert files.register(TABLE, [one, two]) == {Registered.NEW, Registered.PENDING}
    assert list(files.pending(TABLE)) == [two, one]


def test_same_key_with_new_content_is_another_object(files):
    one, two = landed(etag="e1"), landed(etag="e2")
    assert files.register(TABLE, [one]) == {Registered.NEW}
    assert files.register(TABLE, [one, two]) == {Registered.NEW, Registered.PENDING}
    assert sorted(file.etag for file in files.pending(TABLE)) == ["e1", "e2"]


@pytest.mark.parametrize("quarantined", [None, "not UTF-8"])
def test_settled_object_is_not_registered_again(files, quarantined):
    files.register(TABLE, [landed()])
    files.settle(TABLE, 7, [landed()], prepared(landed(), quarantined=quarantined))
    assert files.register(TABLE, [landed()]) == {Registered.SETTLED}
    assert files.count_pending(TABLE) == 0


def test_settled_beside_new_ones(files):
    old, new = landed(), landed(SNAPSHOT)
    files.register(TABLE, [old])
    files.settle(TABLE, 7, [old], prepared(old))
    assert files.register(TABLE, [old, new]) == {Registered.SETTLED, Registered.NEW}
    assert list(files.pending(TABLE)) == [new]


def test_more_files_than_a_transaction_holds_are_registered_and_settled(table, files):
    many = [landed(f"{PREFIX}{number:04d}.csv") for number in range(101)]
    assert files.register(TABLE, many) == {Registered.NEW}
    assert [file.key for file in files.pending(TABLE)] == [file.key for file in many]
    files.settle(TABLE, 7, many, prepared(*many))
    assert (files.count_pending(TABLE), len(items(table))) == (0, 101)
    assert files.known(TABLE, [file.id for file in many] + ["x"]) == {file.id for file in many}


def test_what_waits_stands_in_source_order_snapshots_first(files):
    keys = ["20240810-1.csv", "a.csv", "a b.csv", "LOAD00000010.csv", "LOAD0000000A.csv", "0.csv"]
    files.register(TABLE, [landed(PREFIX + key) for key in keys])
    assert [file.key.removeprefix(PREFIX) for file in files.pending(TABLE)] == [
        "LOAD0000000A.csv",
        "LOAD00000010.csv",
        "0.csv",
        "20240810-1.csv",
        "a b.csv",
        "a.csv",
    ]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_key_of_s3_fits_into_the_ledger(files, key):
    assert len(key.encode()) <= 1024
    files.register(TABLE, [landed(key)])
    assert list(files.pending(TABLE)) == [landed(key)]
    files.settle(TABLE, 7, [landed(key)], prepared(landed(key)))
    assert files.known(TABLE, [landed(key).id]) == {landed(key).id}


def test_settling_twice_changes_nothing(table, files):
    files.register(TABLE, [landed()])
    outcome = prepared(landed(), quarantined="not UTF-8")
    files.settle(TABLE, 7, [landed()], outcome)
    before = table.get(f"TABLE#{TABLE}", f"QUARANTINE#{landed().id}")
    files.settle(TABLE, 7, [landed()], outcome)
    assert items(table) == [(f"TABLE#{TABLE}", f"QUARANTINE#{landed().id}")]
    assert before == {
        "pk": f"TABLE#{TABLE}",
        "sk": f"QUARANTINE#{landed().id}",
        **landed().model_dump(exclude={"version"}),
        "batch": 7,
        "records": 3,
        "refused": 1,
        "reason": "not UTF-8",
    }


def test_file_costs_three_writes_over_its_life(table, files):
    written = Counter()

    def count(params, **_):
        for action in params["TransactItems"]:
            written.update(kind for kind in action if kind != "ConditionCheck")

    table.client.meta.events.register("before-parameter-build.dynamodb.TransactWriteItems", count)
    files.register(TABLE, [landed()])
    files.settle(TABLE, 7, [landed()], prepared(landed()))
    assert written == {"Put": 2, "Delete": 1}


def test_tables_do_not_see_each_others_files(files):
    files.register("a.b", [landed()])
    files.register("a.b2", [landed(SNAPSHOT)])
    assert [file.key for file in files.pending("a.b")] == [CHANGES]


def test_unrouted_objects_are_remembered_until_they_are_routed(files):
    lost = landed_object("nobody/knows.csv")
    files.add_unrouted(lost)
    files.add_unrouted(lost)
    assert (list(files.unrouted()), files.count_unrouted()) == ([lost], 1)
    assert files.known(None, [lost.id, "x"]) == {lost.id}
    files.remove_unrouted(lost)
    assert files.count_unrouted() == 0
