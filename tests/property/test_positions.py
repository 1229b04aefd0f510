"""Positions compare byte by byte in the same order as the tuples of their parts."""

import re
from datetime import datetime
from decimal import Decimal

import duckdb
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tidegate.column_types import ColumnType
from tidegate.position import (
    LONGEST_POSITION,
    LONGEST_SEQUENCE,
    file_order,
    head,
    row_sql,
    sequence_sql,
)
from tidegate.preparing.casts import typed_sql

PREFIX = "dms/orders/"
NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=20
) | st.from_regex("[a-c_.-]{0,2}[0-9]{0,3}[a-c_.-]{0,2}[0-9]{1,12}", fullmatch=True)
VALUES = {
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "decimal(7,3)": st.decimals(-9999, 9999, places=3),
    "decimal(4,4)": st.decimals(Decimal("-0.9999"), Decimal("0.9999"), places=4),
    "decimal(5,0)": st.decimals(-99999, 99999, places=0),
    "date": st.dates(),
    "timestamp": st.datetimes(),
    "timestamptz": st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)),
    "varchar(50)": st.integers(0, 10**34 - 1),
}


def natural(name: str) -> list[tuple[int, int]]:
    """A name as it compares: numbers as numbers, but for those of one width, which zeros fill."""
    parts = re.findall("[1-9][0-9]*|0[0-9]*|[^0-9]", name)
    return [
        part
        for text in parts
        for part in (
            [(ord("1"), int(text))] if text[0] in "123456789" else [(ord(one), 0) for one in text]
        )
    ]


@pytest.fixture(scope="module")
def duck():
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def positions(duck, type_: ColumnType, rows: list[tuple]) -> list[str]:
    """What the expressions of prepare_chunk make of rows (epoch, kind, value, file, row)."""
    duck.execute(
        "create or replace table t (head varchar, value varchar, tail varchar, row bigint)"
    )
    for epoch, kind, value, file, row in rows:
        tail = f" {file_order(PREFIX + file, PREFIX)} "
        duck.execute(
            "insert into t values (?, ?, ?, ?)", [head(epoch, kind), str(value), tail, row]
        )
    sequence = sequence_sql(typed_sql(type_, "value"), type_)
    return [
        p
        for (p,) in duck.execute(
            f"select head || {sequence} || tail || {row_sql('row')} from t"
        ).fetchall()
    ]


def compared(row: tuple) -> tuple:
    epoch, kind, value, file, line = row
    return (epoch, kind, value, natural(file), line)


@pytest.mark.parametrize("type_", VALUES)
@settings(max_examples=60)
@given(data=st.data())
def test_positions_order_as_their_parts_do(duck, type_, data):
    parts = st.tuples(
        st.integers(1, 3), st.integers(0, 1), VALUES[type_], NAMES, st.integers(1, 10**9)
    )
    rows = data.draw(st.lists(parts, min_size=2, max_size=6))
    found = positions(duck, ColumnType.parse(type_), rows)
    assert None not in found
    by_parts = sorted(range(len(rows)), key=lambda n: compared(rows[n]))
    in_python = sorted(range(len(rows)), key=lambda n: (found[n].encode(), compared(rows[n])))
    assert in_python == by_parts
    in_duckdb = duck.execute("select unnest(list_sort(?))", [found]).fetchall()
    assert [p for (p,) in in_duckdb] == sorted(found, key=str.encode)


@given(st.lists(st.tuples(NAMES, st.lists(NAMES, max_size=3)), min_size=2, max_size=8))
def test_files_are_ordered_by_name_and_then_by_folder(files):
    keys = ["/".join([*folders, name]) for name, folders in files]
    by_order = sorted(range(len(files)), key=lambda n: (file_order(PREFIX + keys[n], PREFIX), n))
    by_name = sorted(
        range(len(files)), key=lambda n: (natural(files[n][0]), "/".join(files[n][1]), n)
    )
    assert by_order == by_name


@given(
    st.lists(st.from_regex("(19|20)2[0-9](0[1-9]|1[0-2])1[0-9]-[01][0-9]{8,12}", fullmatch=True))
)
def test_files_of_dms_are_ordered_by_name_as_text(names):
    assume(all(int(name[11:13]) < 60 and int(name[13:15]) < 60 for name in names))
    ordered = sorted(names, key=lambda name: file_order(f"{PREFIX}{name}.csv", PREFIX))
    assert ordered == sorted(names, key=lambda name: f"{name}.csv")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1024))
def test_order_of_a_file_is_short_printable_and_told_apart(key):
    order = file_order(PREFIX + key, PREFIX)
    assert all(character > " " for character in order)
    assert order != file_order(PREFIX + key + "x", PREFIX)
    # A file of changes has its time within, a snapshot before it; an append the digest of its
    # record behind the row, and no time.
    timed = file_order(PREFIX + key, PREFIX, 9_999_999_999)
    others = len(head(1, 1)) + len("  ") + 10 + LONGEST_SEQUENCE
    for file in (timed, f"{'9' * 10}!/{order}", order + "d" * 17):
        assert others + len(file.encode()) <= LONGEST_POSITION


@given(st.lists(st.tuples(NAMES, st.integers(0, 9), NAMES), min_size=2, max_size=8))
def test_of_one_name_the_file_that_landed_later_is_newer_whatever_its_folder(files):
    keyed = [(name, f"{PREFIX}{folder}/{name}", landed_at) for name, landed_at, folder in files]
    ordered = sorted(keyed, key=lambda file: file_order(file[1], PREFIX, file[2]))
    landed = [(name, landed_at) for name, _, landed_at in ordered]
    assert landed == sorted(landed, key=lambda one: (natural(one[0]), one[1]))
