"""Which texts become which values, type by type, and which are refused."""

from datetime import date, datetime
from decimal import Decimal
from math import isnan

import pytest

from tests.unit.samples import CHANGES, Workshop, contract

ACCEPTED = {
    "smallint": {
        "-32768": -32768,
        "32767": 32767,
        " 7 ": 7,
        "+7": 7,
        "007": 7,
        "1.0": 1,
        "1.0e0": 1,
    },
    "integer": {"2147483647": 2147483647, "-0": 0, "1e3": 1000, "1E+3": 1000, "-1.0E2": -100},
    "bigint": {
        "-9223372036854775808": -(2**63),
        "9223372036854775807.00": 2**63 - 1,
        "1e16": 10**16,
        "1.2345678901234567e16": 12345678901234567,
        "9.223372036854775807e18": 2**63 - 1,
        "1.e1": 10,
        ".5E1": 5,
        "12.50e1": 125,
        "0e0": 0,
    },
    "decimal(5,2)": {
        "999.99": Decimal("999.99"),
        "1e2": Decimal("100.00"),
        ".5": Decimal("0.50"),
        "5.": Decimal("5.00"),
        "1.005": Decimal("1.01"),
        "-1.005": Decimal("-1.01"),
        "1.004": Decimal("1.00"),
    },
    "decimal(38,10)": {
        "-1234567890123456789012345678.0123456789": Decimal(
            "-1234567890123456789012345678.0123456789"
        )
    },
    "real": {"1.5": 1.5, "-3e38": pytest.approx(-3e38, rel=1e-6)},
    "double": {"1e308": 1e308, "-Infinity": float("-inf"), "inf": float("inf"), "1.": 1.0},
    "boolean": {
        **dict.fromkeys(["t", "true", "TRUE", "y", "Yes", "1", " true "], True),
        **dict.fromkeys(["f", "false", "F", "n", "no", "0"], False),
    },
    "char(3)": {"abc": "abc", "ab": "ab", "abc  ": "abc", "": ""},
    "varchar(5)": {"héh": "héh", "hello": "hello", "hello   ": "hello", " x ": " x ", "": ""},
    "date": {
        "2024-02-29": date(2024, 2, 29),
        "2024-02-29 00:00:00.000": date(2024, 2, 29),
        "2024-02-29T00:00": date(2024, 2, 29),
        "0001-01-01": date(1, 1, 1),
        "9999-12-31": date(9999, 12, 31),
    },
    "time": {"12:34": "12:34:00", "12:34:56.1234567": "12:34:56.123456"},
    "timestamp": {
        "2024-08-09 19:27:17.787": datetime(2024, 8, 9, 19, 27, 17, 787000),
        "2024-08-09T19:27:17": datetime(2024, 8, 9, 19, 27, 17),
        "2024-08-09": datetime(2024, 8, 9),
        "2024-08-09 19:27:17.1234569": datetime(2024, 8, 9, 19, 27, 17, 123456),
    },
    "timestamptz": {
        "2024-08-09 19:27:17+02": "2024-08-09 17:27:17+00",
        "2024-08-09T19:27:17.5+05:30": "2024-08-09 13:57:17.5+00",
        "2024-08-09 19:27:17-0330": "2024-08-09 22:57:17+00",
        "2024-08-09 19:27:17+14": "2024-08-09 05:27:17+00",
        "2024-08-09 19:27:17Z": "2024-08-09 19:27:17+00",
        "2024-08-09 19:27:17 UTC": "2024-08-09 19:27:17+00",
        "2024-08-09 19:27:17 Z": "2024-08-09 19:27:17+00",
        "2024-08-09 19:27:17 +02:00": "2024-08-09 17:27:17+00",
        "2024-08-09T19:27:17.5 -0330": "2024-08-09 22:57:17.5+00",
        "2024-08-09 19:27:17": "2024-08-09 19:27:17+00",
        "2024-08-09": "2024-08-09 00:00:00+00",
    },
    "super": {
        '{"a": [1, null, true], "b": "nan, inf,]"}': '{"a": [1, null, true], "b": "nan, inf,]"}',
        '"a \\"nan\\" b"': '"a \\"nan\\" b"',
        "12345678901234567890123": "12345678901234567890123",
        '{"a": 1, "a": 2}': '{"a": 1, "a": 2}',
        "[" * 1000 + "]" * 1000: "[" * 1000 + "]" * 1000,
    },
    "varbyte(2)": {"": None, "0aFF": "0aFF"},
    "varbyte": {"00" * 32767: "00" * 32767},
}

REFUSED = {
    "smallint": ["32768", "32768.0", "1.01", "1.5e0", "1e5", "1,5", "x", "--1", "1 2"],
    "integer": ["1.5", "1_000", "0x10", "15e-1", "10e-1", "2147483648", "\uff11", "true"],
    "bigint": ["9223372036854775808", "1e19", "1.25e1", "1e99999999999", "e3", "1e", "1e3.0"],
    "decimal(5,2)": ["1000", "999.999", "1_0", "NaN", "Infinity", "1.2.3", "$1", "."],
    "real": ["1e39", "x", "0x1p3", "1_0.0", "in"],
    "double": ["1e309", "-1e309", "1d", "nano"],
    "boolean": ["2", "ja", "tru", "10", "-1"],
    "char(3)": ["abcd", "é", "a\0b"],
    "varchar(5)": ["hello!", "héllo", "日本", "a\0"],
    "date": [
        "2024-02-30",
        "2024-02-29 00:00:01",
        "infinity",
        "-infinity",
        "epoch",
        "0000-00-00",
        "0000-01-01",
        "24-01-01",
        "01/02/2024",
        "20240101",
        "12024-01-01",
        "2024-01-01 (BC)",
    ],
    "time": ["25:00", "12", "12:34:56+02", "1:2:3"],
    "timestamp": [
        "2024-08-09 19:27:17+02",
        "2024-08-09 19:27:17Z",
        "2024-08-09 25:00",
        "infinity",
        "1723231637",
        "0000-01-01 00:00",
    ],
    "timestamptz": [
        "2024-08-09 19:27:17 Europe/Berlin",
        "2024-08-09 19:27:17  +02",
        "2024-08-09 +02:00",
        "2024-08-09 19:27:17 +02 UTC",
        "2024-08-09 19:27:17+2",
        "infinity",
        "2024-08-09 19:27:17-25",
        "2024-08-09 19:27:17+02:60",
    ],
    "super": [
        "{a: 1}",
        "{'a': 1}",
        "[1,]",
        '{"a": 1, }',
        "NaN",
        "[-Infinity]",
        '{"a":nan}',
        "{",
        "[" * 1001 + "]" * 1001,
        '{"a":[' * 501 + "]}" * 501,
    ],
    "varbyte(2)": ["abc", "0g", "010203", "0x01"],
}


def in_file(texts: list[str]) -> bytes:
    quoted = ['"' + text.replace('"', '""') + '"' for text in texts]
    return "".join(f"I,{number},{text}\n" for number, text in enumerate(quoted)).encode()


@pytest.fixture
def shop(aws) -> Workshop:
    return Workshop()


@pytest.mark.parametrize("type_", ACCEPTED)
def test_texts_that_become_values(shop, type_):
    texts = ACCEPTED[type_]
    found = shop.prepare(contract({"id": "integer", "v": type_}), {CHANGES: in_file(list(texts))})
    assert found.reasons == []
    assert dict(zip(texts, found.column("v"), strict=True)) == texts


def test_not_a_number_is_a_double(shop):
    of = contract({"id": "integer", "v": "double"})
    [value] = shop.prepare(of, {CHANGES: in_file(["NaN"])}).column("v")
    assert isnan(value)


@pytest.mark.parametrize("type_", REFUSED)
def test_texts_that_are_refused_without_being_repeated(shop, type_):
    texts = REFUSED[type_]
    of = contract({"id": "integer", "v": type_})
    found = shop.prepare(of, {CHANGES: in_file([*texts, ""])})
    assert [record for record, _ in found.reasons] == list(range(1, len(texts) + 1))
    assert found.column("id") == [len(texts)]
    assert [refusal["fields"]["v"] for refusal in found.refused] == texts
    for text, (_, reason) in zip(texts, found.reasons, strict=True):
        assert reason.startswith("column 'v' ")
        assert len(text) < 3 or text not in reason


@pytest.mark.parametrize(
    ("type_", "text", "reason"),
    [
        ("integer", "1.5", "column 'v' is not a valid integer"),
        ("decimal(5,2)", "x", "column 'v' is not a valid decimal(5,2)"),
        ("char(3)", "abcd", "column 'v' holds 4 bytes, more than char(3) can hold"),
        ("char(3)", "é", "column 'v' holds a character that is not ASCII"),
        ("varchar(5)", "hello!", "column 'v' holds 6 bytes, more than varchar(5) can hold"),
        ("varchar(5)", "a\0b", "column 'v' holds a NUL character"),
    ],
)
def test_reasons_name_the_column_and_what_it_can_hold(shop, type_, text, reason):
    of = contract({"id": "integer", "v": type_})
    assert shop.prepare(of, {CHANGES: in_file([text])}).reasons == [(1, reason)]


def test_super_as_long_as_the_stage_can_carry_and_no_longer(shop):
    longest = '"' + "a" * 65533 + '"'
    of = contract({"id": "integer", "v": "super"})
    reason = "column 'v' holds 65536 bytes of JSON, more than the 65,535 that can be loaded"
    found = shop.prepare(of, {CHANGES: in_file([longest, longest.replace('a"', 'aa"')])})
    assert (found.column("id"), found.reasons) == ([0], [(2, reason)])


def test_parquet_carries_only_what_copy_loads(shop):
    types = {
        "id": "integer", "a": "smallint", "b": "bigint", "c": "decimal(9,2)", "d": "real",
        "e": "double", "f": "boolean", "g": "char(2)", "h": "varchar(2)", "i": "date", "j": "time",
        "k": "timestamp", "l": "timestamptz", "m": "super", "n": "varbyte",
    }  # fmt: skip
    found = shop.prepare(contract(types), {CHANGES: b"I,1" + b"," * 14 + b"\n"})
    assert found.types == {
        "id": "INTEGER", "a": "SMALLINT", "b": "BIGINT", "c": "DECIMAL(38,2)", "d": "FLOAT",
        "e": "DOUBLE", "f": "BOOLEAN", "g": "VARCHAR", "h": "VARCHAR", "i": "DATE", "j": "VARCHAR",
        "k": "TIMESTAMP", "l": "VARCHAR", "m": "VARCHAR", "n": "VARCHAR",
        "_op": "VARCHAR", "_position": "VARCHAR",
    }  # fmt: skip


def test_parquet_carries_timestamps_as_copy_reads_them(shop):
    of = contract({"id": "integer", "at": "timestamp"})
    chunk = shop.prepare(of, {CHANGES: b"I,1,0001-01-01\nI,2,9999-12-31 23:59:59.999999\n"}).chunk
    key = chunk.parquet.removeprefix(shop.work.url(""))
    body = shop.s3.get_object(Bucket=shop.work.name, Key=key)["Body"]
    day, nanoseconds = 5_373_484, 86_399_999_999_000
    assert nanoseconds.to_bytes(8, "little") + day.to_bytes(4, "little") in body.read()
