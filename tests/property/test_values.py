"""Each value arrives exactly as in its file, or its row is refused; Python is the model."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.property.memory import MemoryS3
from tests.unit.samples import PREFIX, Workshop, contract, parquet
from tidegate.contract import Contract

# Parquet


@dataclass(frozen=True)
class Typed:
    """A value in a Parquet file, as DuckDB's SQL writes it and as a text."""

    sql: str
    text: str


def decimal_of(scale: int) -> st.SearchStrategy[Typed]:
    def typed(digits: int) -> Typed:
        text = f"{Decimal(digits).scaleb(-scale, Context(prec=38)):.{scale}f}"
        return Typed(f"'{text}'::decimal(38,{scale})", text)

    return st.integers(-(10**37), 10**37).map(typed)


def time_as_text(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}" + (f".{time:%f}".rstrip("0") if time.microsecond else "")


def text_of(text: str) -> Typed:
    return Typed("'" + text.replace("'", "''") + "'", text)


TIMES = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31))
OF_A_TYPE = {
    "bigint": st.integers(-(2**63), 2**63 - 1).map(lambda n: Typed(f"'{n}'::bigint", str(n))),
    "double": st.integers(-999, 999).map(lambda n: Typed(f"{n + 0.5}::double", f"{n + 0.5}")),
    **{f"decimal {scale}": decimal_of(scale) for scale in (1, 2, 4, 9, 30)},
    "date": st.dates(date(1000, 1, 1)).map(lambda day: Typed(f"date '{day}'", str(day))),
    "timestamp": TIMES.map(lambda at: Typed(f"timestamp '{at}'", time_as_text(at))),
    "varchar": st.text("a01.-' é", max_size=9).map(text_of),
    "boolean": st.booleans().map(lambda yes: Typed(str(yes), str(yes).lower())),
}
VALUES = st.sampled_from(sorted(OF_A_TYPE)).flatmap(
    lambda name: st.lists(OF_A_TYPE[name], min_size=1, max_size=3)
)


@pytest.fixture(scope="module")
def shop() -> Workshop:
    return Workshop(MemoryS3())


@given(files=st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=5))
def test_each_value_of_parquet_is_as_its_own_file_has_it(shop, files):
    """Whatever types the columns have in each of the files of a batch."""
    of = contract({"id": "integer", "a": "varchar(60)", "b": "varchar(60)"}, written_as="parquet")
    meant, landed = {}, {}
    for first, (ones, others) in enumerate(files):
        rows = list(zip(ones, others, strict=False))
        keyed = {first * 10 + number: row for number, row in enumerate(rows)}
        selected = [
            f"select {key} as id, {a.sql} as a, {b.sql} as b" for key, (a, b) in keyed.items()
        ]
        landed[f"{PREFIX}{first}.parquet"] = parquet(" union all ".join(selected))
        meant |= {key: (a.text, b.text) for key, (a, b) in keyed.items()}
    found = shop.prepare(of, landed)
    assert {row["id"]: (row["a"], row["b"]) for row in found.rows} == meant
    assert (found.quarantined, found.refused) == ({}, [])


# JSON lines


class Written(str):
    """A number of JSON, as it is written."""


NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True
)
STRINGS = st.text('a10.e-+",:[]{}\\#\né ', max_size=8).map(
    lambda text: json.dumps(text, ensure_ascii=False)
)
LEAVES = NUMBERS | STRINGS | st.sampled_from(["true", "false", "null"])
NAMES = ['"v"', '"a"', '"b"', '"A"']


def pairs(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(st.sampled_from(NAMES), values).map(": ".join)
    return st.lists(pair, max_size=4).map(", ".join)


JSON = st.recursive(
    LEAVES,
    lambda values: (
        pairs(values).map(lambda held: f"{{{held}}}")
        | st.lists(values, max_size=3).map(lambda held: f"[{','.join(held)}]")
    ),
    max_leaves=6,
)


def read(text: str) -> Any:
    """Of a name that comes twice the last counts."""
    return json.loads(text, parse_float=Written, parse_int=Written)


def as_document(value: Any) -> Any:
    """What a column of type super holds; a string that holds an object or array is that."""
    if isinstance(value, str) and not isinstance(value, Written) and value.lstrip()[:1] in "{[":
        try:
            return read(value)
        except ValueError:
            return value
    return value


@given(objects=st.lists(pairs(JSON), min_size=1, max_size=4))
def test_each_value_of_json_is_as_it_is_written(shop, objects):
    written = contract({"id": "integer", "t": "varchar(999)", "s": "super"}).as_written()
    written["source"]["format"] = "jsonl"
    written["columns"][1]["from"] = written["columns"][2]["from"] = "v"
    of = Contract.model_validate(written)
    lines = [
        f'{{"id": {number}, {held}{"," * bool(held)} "n": 1}}'
        for number, held in enumerate(objects)
    ]
    found = shop.prepare(of, {PREFIX + "1.jsonl": "\n".join(lines).encode()})
    assert found.refused == []
    for row, line in zip(found.rows, lines, strict=True):
        value = read(line).get("v")
        if value is None:
            assert (row["t"], row["s"]) == (None, None)
            continue
        assert read(row["s"]) == as_document(value)
        if isinstance(value, str):
            assert row["t"] == value
        else:
            assert read(row["t"]) == value


@given(numbers=st.lists(NUMBERS, min_size=1, max_size=5))
def test_each_number_of_json_is_exact_or_refused(shop, numbers):
    of = contract({"id": "integer", "d": "decimal(38,10)", "i": "bigint"}, written_as="jsonl")
    places = Context(prec=199, rounding=ROUND_HALF_UP)
    for column in ("d", "i"):
        lines = [f'{{"id": {n}, "{column}": {text}}}\n' for n, text in enumerate(numbers)]
        found = shop.prepare(of, {PREFIX + "1.jsonl": "".join(lines).encode()})
        held = {row["id"]: row[column] for row in found.rows}
        for number, text in enumerate(numbers):
            meant = Decimal(text).quantize(Decimal("1e-10"), context=places)
            if column == "d" and abs(meant) < 10**28:
                assert held[number] == meant
            elif column == "i" and text.lstrip("-").isdigit() and abs(int(text)) < 2**63:
                assert held[number] == int(text)
            else:
                assert held.get(number, Decimal(text)) == Decimal(text)


ZONES = st.sampled_from(["", "Z", " UTC", "+02", " +02:00", "-0330", " +05:30"])
AWAY = {"+02": 120, " +02:00": 120, "-0330": -210, " +05:30": 330}


@given(times=st.lists(st.tuples(TIMES, ZONES), min_size=1, max_size=5))
def test_times_of_changes_are_ordered_by_the_instant_whatever_their_zone(shop, times):
    of = contract(options={"timestamp": "at"})
    lines = [f"U,{at}{zone},1,{n}\n" for n, (at, zone) in enumerate(times)]
    instants = [at.replace(tzinfo=UTC).timestamp() - 60 * AWAY.get(zone, 0) for at, zone in times]
    [row] = shop.prepare(of, {PREFIX + "1.csv": "".join(lines).encode()}).rows
    assert instants[int(row["name"])] == max(instants)
