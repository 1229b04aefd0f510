"""What a snapshot is known to hold: no change up to there counts, whatever orders the changes."""

import pytest

from tests.unit.samples import CHANGES, PREFIX, SNAPSHOT, Workshop, contract
from tidegate.errors import InvalidInputError
from tidegate.planning.as_of import read_as_of, time_of

STAMPED = contract(options={"timestamp": "at"})
ORDERED = {
    "varchar(40)": (["9", "10", "11"], "010"),
    "char(20)": (["F/FFFFFFFF", "10/0", "10/1"], "10/00000000"),
    "bigint": (["9", "10", "11"], "10"),
    "decimal(9,2)": (["-9.5", "0.00", "0.01"], "0"),
    "date": (["2024-08-09", "2024-08-10", "2024-08-11"], "2024-08-10"),
    "timestamp": (
        ["2024-08-09 08:00:00", "2024-08-09 08:00:00.5", "2024-08-09 08:00:01"],
        "2024-08-09T09:00:00.500+01:00",
    ),
    "timestamptz": (
        ["2024-08-09 08:00:00+00", "2024-08-09 10:00:00+02", "2024-08-09 08:00:01Z"],
        "2024-08-09T08:00:00",
    ),
}

COMPARED = {
    "lsn": (["F/FFFFFFFF", "10/0", "10/1"], "10/0"),
    "binlog": (["b.999999:9", "b.1000000:4", "b.1000000:10"], "b.1000000:4"),
    "number": (["-9.5", "0", "0.01"], "-0"),
    "hex": (["9", "0xA", "10"], "a"),
    "timestamp": (
        ["2024-08-09T08:00:00Z", "2024-08-09T08:00:00.5Z", "2024-08-09T08:00:00.500000001Z"],
        "2024-08-09 10:00:00.500 +02:00",
    ),
    "text": (["a", "b", "c"], "b"),
}


@pytest.fixture
def shop(aws) -> Workshop:
    return Workshop()


@pytest.mark.parametrize("type_", ORDERED)
def test_changes_up_to_it_do_not_count_and_later_ones_do(shop, type_):
    values, as_of = ORDERED[type_]
    of = contract({"id": "integer", "seq": type_}, sequence=["seq"])
    lines = [f"I,{number},{value}" for number, value in enumerate(values)]
    found = shop.prepare(of, {CHANGES: "\n".join(lines).encode()}, as_of=read_as_of(as_of, of))
    assert found.column("id") == [2]
    assert [file.records for file in found.files.values()] == [3]


@pytest.mark.parametrize("compared", COMPARED)
def test_it_compares_as_the_contract_says_the_sequence_does(shop, compared):
    values, as_of = COMPARED[compared]
    of = contract(
        {"id": "integer"}, fields=["seq", "id"], sequence=[{"name": "seq", "as": compared}]
    )
    lines = [f"I,{value},{number}" for number, value in enumerate(values)]
    found = shop.prepare(of, {CHANGES: "\n".join(lines).encode()}, as_of=read_as_of(as_of, of))
    assert found.column("id") == [2]
    with pytest.raises(InvalidInputError, match=f"is not of type {compared}, like 'seq'"):
        read_as_of("a\tb", of)


def test_without_it_nothing_counts_that_landed_before_the_snapshot(shop):
    of = contract()
    old, new, whole = (
        shop.land(name, content, of).model_copy(update={"landed_at": landed_at})
        for name, content, landed_at in (
            (CHANGES, b"U,1,older\nU,2,gone\nU,x,y\n", 99),
            (PREFIX + "20240810-1.csv", b"U,3,newer\n", 101),
            (SNAPSHOT, b"1,whole\n3,whole\n", 100),
        )
    )
    found = shop.prepare(of, [old, new, whole], taken_at=100)
    assert sorted(found.column("name")) == ["newer", "whole"]
    assert [file.records for file in found.files.values()] == [3, 1, 2]
    assert len(found.reasons) == 1


def test_snapshot_of_before_the_refresh_does_not_count_though_as_of_is_known(shop):
    old, new = (
        shop.land(name, content, STAMPED).model_copy(update={"landed_at": landed_at})
        for name, content, landed_at in (
            (PREFIX + "old/LOAD00000001.csv", b"2024-08-01 00:00:00,1,gone\n", 99),
            (SNAPSHOT, b"2024-08-09 00:00:00,2,whole\n", 100),
        )
    )
    found = shop.prepare(STAMPED, [old, new], taken_at=100, as_of="2024-07-01 00:00:00.000000")
    assert found.column("name") == ["whole"]


def test_rows_of_the_snapshot_count_whatever_their_time_is(shop):
    files = {SNAPSHOT: b"2024-08-09 00:00:00,1,old\n", CHANGES: b"U,2024-08-08 00:00:00,1,older\n"}
    found = shop.prepare(STAMPED, files, as_of=read_as_of("2024-08-10", STAMPED))
    assert found.column("name") == ["old"]


def test_first_of_several_columns_that_order_changes_decides(shop):
    of = contract({"id": "integer", "day": "date", "n": "integer"}, sequence=["day", "n"])
    changes = b"I,1,2024-08-09,9\nI,2,2024-08-10,1\nI,3,2024-08-11,1\n"
    assert shop.prepare(of, {CHANGES: changes}, as_of="2024-08-10").column("id") == [3]


@pytest.mark.parametrize(
    ("type_", "as_of"),
    [
        ("timestamp", "yesterday"),
        ("bigint", "1.5"),
        ("bigint", "9" * 20),
        ("decimal(9,2)", "1" * 8),
        ("decimal(9,2)", "nan"),
        ("date", "32"),
    ],
)
def test_what_is_no_value_of_the_column_is_refused(type_, as_of):
    of = contract({"id": "integer", "seq": type_}, sequence=["seq"])
    with pytest.raises(InvalidInputError, match=f"as_of '{as_of}' is not of type .*, like 'seq'"):
        read_as_of(as_of, of)


def test_contract_whose_changes_only_their_files_order_has_none():
    with pytest.raises(InvalidInputError, match="only their files order them"):
        read_as_of("2024-08-10", contract())


def test_day_that_is_none_is_refused():
    of = contract(
        {"id": "integer"}, fields=["at", "id"], sequence=[{"name": "at", "as": "timestamp"}]
    )
    with pytest.raises(InvalidInputError, match="as_of '2024-02-30' is not of type timestamp"):
        read_as_of("2024-02-30", of)
    assert time_of(read_as_of("2024-08-10T00:00:00 UTC", of), of) == 1_723_248_000


def test_it_tells_a_time_only_if_times_order_the_changes():
    numbered = contract({"id": "integer", "seq": "bigint"}, sequence=["seq"])
    stamp = read_as_of("2024-08-10T00:00:00Z", STAMPED)
    assert time_of(stamp, STAMPED) == 1_723_248_000
    assert time_of(read_as_of("20240810", numbered), numbered) is None
