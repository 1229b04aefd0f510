"""Sequence values compare by their meaning (LSN, number, timestamp, …), or are refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.comparison import COMPARISONS, alike, undeclared_sql

Values = st.SearchStrategy[tuple[Any, str]]  # what a value is, and how it may be written
_NEAR = st.sampled_from([0, 1, 9, 10, 15, 16, 99, 100, 255, 256, 2**32 - 1])
_ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def lsns() -> Values:
    halves = st.tuples(*[_NEAR | st.integers(0, 2**32 - 1)] * 2)
    forms = st.sampled_from(["{:X}/{:X}", "{:x}/{:x}", "{:X}/{:08X}"])
    return st.builds(lambda halves, form: (halves, form.format(*halves)), halves, forms)


def binlogs() -> Values:
    numbers = st.tuples(st.sampled_from([9, 10, 979715, 1215501, 999999, 1000000]), _NEAR)
    forms = st.sampled_from(["mysql-bin.{:06d}:{}", "a.b.{}:{}", ".{}:{}"])
    return st.builds(lambda numbers, form: (numbers, form.format(*numbers)), numbers, forms)


def hexadecimals() -> Values:
    groups = st.lists(_NEAR | st.integers(0, 2**64), min_size=1, max_size=3)
    forms = st.sampled_from(["{:x}", "{:X}", "{:08x}", "{:016X}"])
    starts = st.sampled_from(["", "0x"])
    return st.builds(
        lambda groups, form, start: (
            tuple(groups),
            start + ":".join(form.format(group) for group in groups),
        ),
        groups,
        forms,
        starts,
    )


def numbers() -> Values:
    near = st.sampled_from(["0", "-0", "-1", "1", "-1.5", "-1.55", "1.5", "1.50", "9", "10", "+10"])
    written = near | st.integers(-(10**38), 10**38).map(str)
    written |= st.decimals(-999, 999, places=3).map(lambda number: f"{number:f}")
    return written.map(lambda text: (Decimal(text), text))


def timestamps() -> Values:
    moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)) | st.sampled_from(
        [datetime(2024, 5, 1, 10), datetime(2024, 5, 1, 12), datetime(2024, 5, 1)]
    )
    fractions = st.sampled_from(["", ".5", ".500", ".123456", ".123456789", ".000000001"])
    zones = st.sampled_from([("", 0), ("Z", 0), (" UTC", 0), ("+02:00", 120), ("-0530", -330)])
    return st.builds(_moment, moments, fractions, zones, st.sampled_from("T "))


def _moment(moment: datetime, fraction: str, zone: tuple[str, int], between: str) -> Any:
    local = moment.replace(microsecond=0)
    utc = local.replace(tzinfo=timezone(timedelta(minutes=zone[1]))).astimezone(UTC)
    written = f"{local.isoformat(between)}{fraction}{zone[0]}"
    return ((utc, Decimal(f"0{fraction or '.0'}")), written)


def texts() -> Values:
    printable = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
    return printable.map(lambda text: (text, text))


def digits() -> Values:
    """Numbers that nothing declares, in those widths that a number can have, and DMS's own."""
    wide = st.integers(0, 10**34 - 1) | st.integers(2 * 10**34, 10**35 - 1) | _NEAR
    forms = st.sampled_from(["{}", "{:012d}", "{:035d}", "{}.0"])
    return st.builds(lambda number, form: (number, form.format(number)), wide, forms)


DECLARED = {
    "lsn": lsns(),
    "binlog": binlogs(),
    "hex": hexadecimals(),
    "number": numbers(),
    "timestamp": timestamps(),
    "text": texts(),
}
UNDECLARED = {"digits": digits(), "lsn": lsns(), "timestamp": timestamps()}


@pytest.fixture(scope="module")
def duck():
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def spellings(duck, sql: Callable[[str], str], written: list[str]) -> list[str | None]:
    found = duck.execute(f"select {sql('v')} from (select unnest(?) as v)", [written])
    return [spelling for (spelling,) in found.fetchall()]


def assert_order(duck, sql: Callable[[str], str], values: list[tuple[Any, str]]) -> None:
    found = spellings(duck, sql, [written for _, written in values])
    assert None not in found
    # A blank stands behind each part of a position, and sorts below all that a part can hold.
    spelled = [
        (f"{spelling} ".encode(), value) for spelling, (value, _) in zip(found, values, strict=True)
    ]
    for one, value in spelled:
        for other, another in spelled:
            assert (one < other) == (value < another)


def test_every_comparison_is_looked_at():
    assert set(DECLARED) == set(COMPARISONS)


@pytest.mark.parametrize("name", DECLARED)
@given(data=st.data())
def test_declared_texts_compare_as_what_they_are(duck, name, data):
    values = data.draw(st.lists(DECLARED[name], min_size=2, max_size=6))
    assert_order(duck, COMPARISONS[name].sql, values)


@pytest.mark.parametrize("name", UNDECLARED)
@given(data=st.data())
def test_texts_that_nothing_declares_compare_as_what_they_are_beyond_doubt(duck, name, data):
    values = data.draw(st.lists(UNDECLARED[name], min_size=2, max_size=6))
    assert_order(duck, undeclared_sql, values)
    written = [one for _, one in values]
    assert all(map(alike, written, spellings(duck, undeclared_sql, written))) or name == "digits"


@pytest.mark.parametrize("name", [*DECLARED, "undeclared"])
@given(data=st.data())
def test_spelling_holds_no_blank_and_no_control_character(duck, name, data):
    sql = COMPARISONS[name].sql if name in COMPARISONS else undeclared_sql
    written = data.draw(st.lists(_ANY_TEXT, min_size=1))
    for spelling in spellings(duck, sql, written):
        assert spelling is None or (spelling and min(spelling) > " " and "\x7f" not in spelling)


@pytest.mark.parametrize(
    ("name", "unfit"),
    [
        ("lsn", ["16/B374D848/1", "16", "G/0", "123456789/0", ""]),
        ("binlog", ["mysql-bin", "mysql-bin.000001:-1", "a:b.1", "12"]),
        ("hex", ["0xG", "0x", "a::b", "-1"]),
        ("number", ["1e5", "nan", "1,5", ".", " 1"]),
        (
            "timestamp",
            ["2024-02-30", "2024-05-01T25:00", "1714557600", "01.05.2024", "2024-05-01T10"],
        ),
        ("text", ["a\tb", ""]),
        ("undeclared", ["a", "00A1", "0x10", "1.5", "-1", "1" + "0" * 34, "part_9", "x.1:2", ""]),
    ],
)
def test_what_is_of_another_form_does_not_compare(duck, name, unfit):
    sql = COMPARISONS[name].sql if name in COMPARISONS else undeclared_sql
    assert spellings(duck, sql, unfit) == [None] * len(unfit)


@pytest.mark.parametrize("name", COMPARISONS)
def test_example_of_a_comparison_is_of_its_form(duck, name):
    assert spellings(duck, COMPARISONS[name].sql, [COMPARISONS[name].example]) != [None]
