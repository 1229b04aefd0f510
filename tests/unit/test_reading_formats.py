"""How Parquet and JSON lines are read: by the names of their columns, to the same values as CSV."""

import gzip
import json
from datetime import date, datetime
from decimal import Decimal

import pytest

from tests.unit.samples import LANDED_AT, PREFIX, Workshop, contract, parquet
from tidegate.contract import Contract
from tidegate.preparing.formats.jsonl import MOST_NAMES

FILE = PREFIX + "20240809-192717787"
SNAPSHOT = PREFIX + "LOAD00000001"
WORDS = {"c": "insert", "u": "update", "d": "delete"}


@pytest.fixture
def shop(aws) -> Workshop:
    return Workshop()


def of(columns: dict[str, str] | None = None, *, written_as: str = "jsonl", **more) -> Contract:
    return contract(columns, written_as=written_as, **more)


def json_lines(*objects: dict) -> bytes:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects).encode()


# JSON lines


def test_fields_of_json_stand_in_any_order_and_what_is_absent_is_null(shop):
    lines = json_lines(
        {"Op": "I", "name": "Ann", "id": 1}, {"id": 2, "Op": "U"}, {"id": 3, "Op": "D"}
    )
    found = shop.prepare(of(), {FILE: lines})
    assert [(row["id"], row["name"], row["_op"]) for row in found.rows] == [
        (1, "Ann", "I"),
        (2, None, "U"),
        (3, None, "D"),
    ]


def test_json_without_an_operation_is_inserted(shop):
    found = shop.prepare(of(), {FILE: json_lines({"id": 1, "name": "Ann"})})
    assert [(row["id"], row["_op"]) for row in found.rows] == [(1, "I")]


def test_operation_is_where_the_contract_says_and_one_that_lacks_refuses_its_row(shop):
    lines = json_lines({"op": "c", "id": 1}, {"id": 2}, {"op": "d", "id": 3})
    found = shop.prepare(of(options={"operation": "op"}, operations=WORDS), {FILE: lines})
    assert [(row["id"], row["_op"]) for row in found.rows] == [(1, "I"), (3, "D")]
    assert found.reasons == [(2, "the operation is none of c, u and d")]


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("decimal(38,10)", "1234567890123456789012345678.0123456789", "same"),
        ("decimal(20,3)", "12345678901234567.890", "same"),
        ("decimal(20,3)", "-0.5", "-0.500"),
        ("decimal(20,3)", "1e3", "1000.000"),
        ("bigint", "9223372036854775807", "same"),
        ("varchar(40)", "12345678901234567.890", "same"),
        ("varchar(40)", '"12345678901234567.890"', "12345678901234567.890"),
        ("varchar(40)", '"\\"12345678901234567890\\" \\\\"', '"12345678901234567890" \\'),
        ("varchar(40)", "true", "true"),
        ("varchar(40)", "1.10", "same"),
        ("varchar(40)", "100.0", "same"),
        ("varchar(40)", "-0", "same"),
        ("varchar(40)", "0.00000001", "same"),
        ("varchar(40)", "1E+3", "same"),
        ("varchar(40)", "1e400", "same"),
        ("varchar(40)", '[1.10, {"a": 2.50}]', '[1.10,{"a":2.50}]'),
        ("super", "1.10", "same"),
        ("super", '{"a": {"b": [-0, 1e2, 0.10]}}', '{"a":{"b":[-0,1e2,0.10]}}'),
        ("super", '"hello"', "same"),
        ("super", '"1.10"', "same"),
        ("super", '"null"', "same"),
        ("super", '""', "same"),
        ("super", "null", None),
        ("super", '"[1,]"', "same"),
        ("super", '"é \\"q\\" \\n"', "same"),
        ("super", '" {\\"a\\": [1.10]}"', ' {"a": [1.10]}'),
        ("decimal(9,2)", "1.10", "same"),
        ("super", '{"a": [12345678901234567.890, "1", 1]}', '{"a":[12345678901234567.890,"1",1]}'),
    ],
)
def test_numbers_of_json_keep_their_digits_and_texts_are_themselves(shop, type_, text, value):
    found = shop.prepare(
        of({"id": "integer", "v": type_}), {FILE: f'{{"id": 1, "v": {text}}}\n'.encode()}
    )
    [held] = found.column("v")
    assert (held if held is None else str(held)) == (text if value == "same" else value)


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize(
    ("twice", "value"),
    [
        ('"v": 1, "v": 2', "2"),
        ('"v": 1.0, "n": 1, "v": 1.10', "1.10"),
        ('"v": "a", "v": null', None),
        ('"v": null, "v": {"v": 1, "v": 2}', '{"v":1,"v":2}'),
        ('"n": 1, "v": 1.10, "n": 2', "1.10"),
        ('"v": 1, "\\u0076": 2', "2"),
    ],
)
def test_of_a_field_that_comes_twice_the_last_counts(shop, twice, value, partial):
    lines = '{"id": 0, "v": "x"}\n{"id": 7, ' + twice + ', "id": 1}\n{"id": 2}\n'
    columns = of({"id": "integer", "v": "varchar(40)"}, partial=partial)
    found = shop.prepare(columns, {FILE: lines.encode()})
    assert [(row["id"], row["v"]) for row in found.rows] == [(0, "x"), (1, value), (2, None)]
    if partial:
        assert found.column("_carried") == ["11", "11", "10"]


@pytest.mark.parametrize(
    "name", ['a"b', "a'b", "a/b", "a~1b", "a.b", "$", "[0]", "é 日", "0", "\\"]
)
def test_any_name_may_be_the_name_of_a_field(shop, name):
    given = contract({"id": "integer", "v": "varchar(9)"}).as_written()
    given["columns"][1]["from"] = name
    given["source"]["format"] = "jsonl"
    found = shop.prepare(
        Contract.model_validate(given), {FILE: json_lines({"id": 1, name: "held"})}
    )
    assert found.column("v") == ["held"]


def test_line_that_is_not_an_object_is_refused_alone(shop):
    lines = (
        b'{"id": 1}\n\n{"id": 2\n[3]\nnull\n{"id": 4, "name": "\xff"}\r\n  \n{"id": "x"}\n{"id": 5}'
    )
    found = shop.prepare(of(), {FILE: lines})
    assert found.column("id") == [1, 5]
    reason = "the line is not a JSON object in UTF-8, or a text in it has half of a surrogate pair"
    assert [(number, told.partition(" (")[0]) for number, told in found.reasons] == [
        *((number, reason) for number in (2, 3, 4, 5)),
        (6, "column 'id' is not a valid integer"),
    ]
    assert found.refused[-1]["fields"] == {"id": "x"}
    assert found.files[FILE].records == 7


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("spoilt", [rb"\ud800", rb"\udc00\ud800", b"\xff", b"\xed\xa0\x80"])
def test_half_a_character_refuses_its_line_alone_wherever_it_is(shop, spoilt, place):
    lines = [b'{"id": 1, "name": "a"}', b'{"id": 3, "name": "b"}']
    lines.insert(place, b'{"id": 2, "name": "' + spoilt + b'"}')
    found = shop.prepare(of(), {FILE: b"\n".join(lines)})
    assert (found.column("id"), found.quarantined) == ([1, 3], {})
    assert [record for record, _ in found.reasons] == [place + 1]


@pytest.mark.parametrize(
    "content",
    [
        b"id,name\n1,Ann\n",
        b'{\n  "id": 1\n}\n',
        '{"id": 1}\n'.encode("utf-8-sig"),
    ],
)
def test_file_that_is_not_json_lines_is_quarantined_whole_and_says_what_to_write(shop, content):
    found = shop.prepare(of(), {FILE: content})
    assert found.quarantined == {
        FILE: "it is not JSON lines: the first line is not a JSON object; write each object on "
        "its own line, in UTF-8 without a byte order mark, and land the file again"
    }


@pytest.mark.parametrize(
    "last",
    [
        '{"id": 2, "na',
        '{"id": 2, "name": "B"',
        '{"name": "é',
        '{"name": "}"',
        '{"name": "\\"}',
        '{"id": {"b": [1, 2]}',
        '{"id": tru',
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_file_whose_last_line_is_cut_off_is_quarantined_whole(shop, last, pack):
    content = json_lines({"id": 1, "name": "A"}) + last.encode()
    found = shop.prepare(of(), {FILE: pack(content)})
    assert found.rows == []
    assert found.quarantined == {
        FILE: "the last line is cut off, so the file is not whole; land it again"
    }


@pytest.mark.parametrize("end", ["", "\n", "\n\n", " "])
def test_last_line_need_not_end(shop, end):
    content = json_lines({"id": 1})[:-1] + end.encode()
    found = shop.prepare(of(), {FILE: content})
    assert (found.column("id"), found.quarantined) == ([1], {})


@pytest.mark.parametrize("last", ["-- end", '{"id": 02}', '{"id": 1}\0', '{"id": "\\"}"} x'])
def test_last_line_that_is_whole_but_no_object_is_refused_alone(shop, last):
    found = shop.prepare(of(), {FILE: json_lines({"id": 1}) + last.encode()})
    assert (found.column("id"), found.quarantined) == ([1], {})
    [(record, reason)] = found.reasons
    assert (record, reason[:29]) == (2, "the line is not a JSON object")


@pytest.mark.parametrize(
    ("written_as", "options", "content"),
    [
        ("dms_csv", {"header": True}, b"op,id,name\nD,1,\n"),
        ("jsonl", {}, b'{"op": "D", "id": 1}\n'),
        ("parquet", {}, parquet("select 'D' as op, 1 as id, 'a' as name")),
    ],
)
def test_operation_of_almost_the_right_name_does_not_make_inserts_of_deletes(
    shop, written_as, options, content
):
    found = shop.prepare(of(written_as=written_as, options=options), {FILE: content})
    assert found.rows == []
    assert found.quarantined == {
        FILE: "the file has a column 'op', but the operation is 'Op'; correct "
        "source.options.operation in the contract or the file, and land it again"
    }


def test_column_that_is_called_almost_like_the_operation_is_a_column(shop):
    named = of({"id": "integer", "op": "varchar(5)"})
    assert shop.prepare(named, {FILE: json_lines({"id": 1, "op": "x"})}).column("op") == ["x"]
    unwanted = of({"id": "integer"}, fields=["id", "op"])
    assert shop.prepare(unwanted, {FILE: json_lines({"id": 1, "op": "x"})}).column("id") == [1]


@pytest.mark.parametrize(
    ("written_as", "options", "content"),
    [
        ("dms_csv", {"header": True}, b"id,name\n1,a\n"),
        ("dms_csv", {}, b"1,a\n"),
        ("jsonl", {}, b'{"id": 1, "name": "a"}\n'),
        ("parquet", {}, parquet("select 1 as id, 'a' as name")),
    ],
)
def test_records_without_an_operation_are_inserts_whatever_operations_are_called(
    shop, written_as, options, content
):
    found = shop.prepare(
        of(written_as=written_as, options=options, operations=WORDS), {SNAPSHOT: content}
    )
    assert [(row["id"], row["_op"]) for row in found.rows] == [(1, "I")]


@pytest.mark.parametrize("written_as", ["jsonl", "parquet"])
def test_empty_file_is_nothing(shop, written_as):
    found = shop.prepare(of(written_as=written_as), {FILE: b""})
    assert (found.rows, found.quarantined, found.files[FILE].records) == ([], {}, 0)


def test_json_lines_may_be_compressed_and_files_differ(shop):
    files = {
        FILE: gzip.compress(json_lines({"Op": "I", "id": 1, "extra": 1})),
        SNAPSHOT: json_lines({"id": 2, "name": "Bob", "other": {}}),
    }
    found = shop.prepare(of(), files)
    assert [(row["id"], row["name"]) for row in found.rows] == [(2, "Bob"), (1, None)]
    assert found.chunk.unread == ["extra", "other"]


def test_partial_json_carries_what_it_has_and_a_null_is_a_null(shop):
    lines = json_lines({"id": 1, "name": None}, {"id": 2}, {"id": 3, "name": "x"})
    found = shop.prepare(of(partial=True), {FILE: lines})
    assert [(row["name"], row["_carried"]) for row in found.rows] == [
        (None, "11"),
        (None, "10"),
        ("x", "11"),
    ]


def test_partial_row_whose_key_changed_is_refused_unless_it_carries_every_column(shop):
    source = {"prefix": PREFIX, "format": "jsonl", "before_image": "BI_"}
    lines = json_lines(
        {"Op": "U", "BI_id": 1, "id": 2, "name": None},
        {"Op": "U", "BI_id": 3, "id": 4},
        {"Op": "U", "BI_id": 5, "id": 5},
    )
    found = shop.prepare(of(partial=True, source=source), {FILE: lines})
    assert sorted((row["id"], row["_op"]) for row in found.rows) == [(1, "D"), (2, "U"), (5, "U")]
    [(record, reason)] = found.reasons
    assert (record, reason.partition(";")[0]) == (
        2,
        "it changes the key but lacks columns that the row of the new key needs",
    )


def test_keys_that_are_data_are_left_unread_and_the_operation_is_seen(shop):
    keyed = [{f"{number:05d}": 1} for number in range(MOST_NAMES)]
    lines = json_lines(*keyed, {"id": 1, "Op": "D"})
    found = shop.prepare(of(), {FILE: lines})
    assert [(row["id"], row["_op"]) for row in found.rows] == [(1, "D")]
    assert (found.chunk.unread[-1], len(found.refused)) == (f"{MOST_NAMES - 2:05d}", MOST_NAMES)


def test_lines_longer_than_a_csv_record_may_be_are_read(shop):
    found = shop.prepare(of(), {FILE: json_lines({"id": 1, "unread": "x" * 5_000_000})})
    assert found.column("id") == [1]


# Parquet


def test_columns_of_parquet_are_found_by_name(shop):
    files = {
        FILE: parquet("select 'U' as \"Op\", 'Ann' as name, 5 as extra, 1::smallint as id"),
        SNAPSHOT: parquet("select 2 as id, 'Bob' as name"),
    }
    found = shop.prepare(of(written_as="parquet"), files)
    assert [(row["id"], row["name"], row["_op"]) for row in found.rows] == [
        (2, "Bob", "I"),
        (1, "Ann", "U"),
    ]
    assert found.chunk.unread == ["extra"]


@pytest.mark.parametrize(
    ("type_", "written", "value"),
    [
        ("integer", "7::utinyint", 7),
        ("decimal(12,2)", "7.25::decimal(10,2)", Decimal("7.25")),
        ("decimal(12,2)", "1e3::double", Decimal(1000)),
        ("varchar(40)", "18446744073709551615::ubigint", "18446744073709551615"),
        ("double", "0.1::double", 0.1),
        ("boolean", "true", True),
        ("date", "date '2024-08-09'", date(2024, 8, 9)),
        ("date", "timestamp '2024-08-09'", date(2024, 8, 9)),
        (
            "timestamp",
            "timestamp_ns '2024-08-09 01:02:03.123456'",
            datetime(2024, 8, 9, 1, 2, 3, 123456),
        ),
        ("timestamp", "timestamptz '2024-08-09 01:02:03+02'", datetime(2024, 8, 8, 23, 2, 3)),
        ("timestamptz", "timestamptz '2024-08-09 01:02:03+02'", "2024-08-08 23:02:03+00"),
        ("time", "time '01:02:03'", "01:02:03"),
        ("varbyte", "'\\x41\\xFF'::blob", "41FF"),
        ("super", "{'a': [1.25, null], 'b': 'é'}", '{"a":[1.25,null],"b":"é"}'),
        ("super", "[1, 2]", "[1,2]"),
        ("super", "{'DECIMAL(9,2)': 1.10::decimal(9,2)}", '{"DECIMAL(9,2)":1.10}'),
        ("super", "[0.00000001::decimal(9,8)]", "[0.00000001]"),
        ("super", "map {'a': 1234567890123456.78::decimal(18,2)}", '{"a":1234567890123456.78}'),
        (
            "varchar(40)",
            "uuid '5322b154-ce49-40fc-8dc5-15a876f1d43d'",
            "5322b154-ce49-40fc-8dc5-15a876f1d43d",
        ),
        ("varchar(40)", "null", None),
        ("varchar(40)", "''", ""),
        ("varchar(40)", "'NULL'", "NULL"),
    ],
)
def test_values_of_parquet_become_those_of_the_column(shop, type_, written, value):
    columns = of({"id": "integer", "v": type_}, written_as="parquet")
    found = shop.prepare(columns, {FILE: parquet(f"select 1 as id, {written} as v")})
    assert (found.column("v"), found.refused) == ([value], [])


@pytest.mark.parametrize(
    ("type_", "first", "second", "values"),
    [
        ("decimal(9,4)", "7::bigint", "1.5::double", [Decimal(7), Decimal("1.5")]),
        ("decimal(9,4)", "1.5::decimal(9,2)", "1.2345::decimal(9,4)", ["1.5", "1.2345"]),
        ("varchar(30)", "date '2024-08-09'", "timestamp '2024-08-09 01:02:03'", None),
        ("varchar(30)", "1307", "'01307'", ["1307", "01307"]),
        ("super", "{'a': 1}", "{'a': 1, 'b': 2}", ['{"a":1}', '{"a":1,"b":2}']),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_each_file_of_parquet_keeps_its_own_types(shop, type_, first, second, values, turned):
    values = values or ["2024-08-09", "2024-08-09 01:02:03"]
    written = [first, second][:: -1 if turned else 1]
    files = {
        f"{FILE}{number}": parquet(f"select {number} as id, {value} as v")
        for number, value in enumerate(written)
    }
    columns = of({"id": "integer", "v": type_}, written_as="parquet")
    found = shop.prepare(columns, files)
    if type_.startswith("decimal"):
        values = [Decimal(value) for value in values]
    assert found.column("v") == values[:: -1 if turned else 1]


def renamed(query: str, old: bytes, new: bytes) -> bytes:
    """Parquet with a name that DuckDB itself would not write."""
    content = parquet(query, "compression uncompressed")
    assert old in content
    return content.replace(old, new)


def test_parquet_that_names_a_column_twice_is_quarantined_with_that_reason(shop):
    content = renamed("select 1 as id, 'x' as name, 'y' as namf", b"namf", b"name")
    found = shop.prepare(of(written_as="parquet"), {FILE: content})
    assert found.quarantined == {FILE: "it repeats column names (1 too many); rename them"}


@pytest.mark.parametrize("files", [1, 3])
def test_columns_of_parquet_that_differ_in_case_only_are_two(shop, files):
    content = renamed("select 1 as id, 'x' as note, 'y' as notf", b"notf", b"NOTE")
    given = contract({"id": "integer", "a": "varchar(9)", "b": "varchar(9)"}).as_written()
    given["source"]["format"] = "parquet"
    given["columns"][1]["from"], given["columns"][2]["from"] = "NOTE", "note"
    named = {f"{FILE}{number}": content for number in range(files)}
    found = shop.prepare(Contract.model_validate(given), named)
    assert [(row["a"], row["b"]) for row in found.rows] == [("y", "x")]
    assert found.quarantined == {}


@pytest.mark.parametrize(
    ("written_as", "options", "content"),
    [
        ("dms_csv", {"header": True}, b"Op,id,note,NOTE\nI,1,x,y\n"),
        ("jsonl", {}, b'{"id": 1, "note": "x", "NOTE": "y"}\n'),
    ],
)
def test_names_that_differ_in_case_only_are_two_in_text_too(shop, written_as, options, content):
    given = contract(
        {"id": "integer", "a": "varchar(9)", "b": "varchar(9)"}, options=options
    ).as_written()
    given["source"]["format"] = written_as
    given["columns"][1]["from"], given["columns"][2]["from"] = "NOTE", "note"
    [row] = shop.prepare(Contract.model_validate(given), {FILE: content}).rows
    assert (row["a"], row["b"]) == ("y", "x")


SAME_FIELDS = renamed("select 1 as id, {'aa': 1, 'bb': 2} as v", b"bb", b"AA")
# A scale of 8 and a precision of 38, as the footer holds them, and one of 60.
MANY_DIGITS = renamed(
    "select 1 as id, 1.5::decimal(38,8) as v", b"\x15\x10\x15\x4c", b"\x15\x10\x15\x78"
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            SAME_FIELDS,
            "column 'v' has two fields 'aa' and 'AA' that differ at most in case",
        ),
        (
            MANY_DIGITS,
            "column 'v' has decimals of 60 digits, more than the 38 that Tidegate can keep",
        ),
    ],
    ids=["fields", "digits"],
)
def test_parquet_whose_values_would_change_is_quarantined_if_they_are_read(shop, content, reason):
    columns = {"id": "integer", "v": "super"}
    found = shop.prepare(of(columns, written_as="parquet"), {FILE: content})
    assert found.quarantined[FILE].partition(";")[0] == reason
    unread = shop.prepare(of({"id": "integer"}, written_as="parquet"), {FILE: content})
    assert (unread.column("id"), unread.quarantined) == ([1], {})


def test_any_name_may_be_the_name_of_a_column_of_parquet(shop):
    names = ["filename", "path", "c0", "texts", 'a"b', "a'b", "{x}"]
    given = contract({"id": "integer"}).as_written()
    given["columns"] += [
        {"name": f"v{number}", "type": "integer", "from": name} for number, name in enumerate(names)
    ]
    given["source"]["format"] = "parquet"
    quoted = [
        f'{number} as "{name.replace(chr(34), chr(34) * 2)}"' for number, name in enumerate(names)
    ]
    content = parquet(f"select 9 as id, {', '.join(quoted)}")
    [row] = shop.prepare(Contract.model_validate(given), {FILE: content}).rows
    assert [row[f"v{number}"] for number in range(len(names))] == list(range(len(names)))


IN_A_DAY = 3_723_500_000  # microseconds


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (-1, "-00:00:00.000001"),
        (86_400_000_001, "24:00:00.000001"),
        (3_020_399_000_000, "838:59:59"),
        (2**62, "1281023894:00:27.387904"),
    ],
)
def test_time_of_parquet_beyond_a_day_refuses_its_row_alone(shop, microseconds, text):
    other = "select 9 as id, {'a': 1} as s, time '23:59:59.999999' as at"
    whole = parquet(
        "select i as id, {'a': i} as s, time '01:02:03.5' + i * interval 1 second as at "
        "from range(3) r(i)",
        "compression uncompressed",
    )
    before, after = (
        (n).to_bytes(8, "little", signed=True) for n in (IN_A_DAY + 10**6, microseconds)
    )
    assert whole.count(before) == 1
    columns = of({"id": "integer", "at": "time"}, written_as="parquet")
    files = {FILE + "1": whole.replace(before, after), FILE + "2": parquet(other)}
    found = shop.prepare(columns, files)
    assert found.column("at") == ["01:02:03.5", "01:02:05.5", "23:59:59.999999"]
    assert found.reasons == [(2, "column 'at' is not a valid time")]
    assert found.refused[0]["fields"] == {"id": "1", "at": text}
    texts = of({"id": "integer", "at": "varchar(30)"}, written_as="parquet")
    assert text in shop.prepare(texts, files).column("at")


def test_times_of_parquet_may_be_in_utc(shop):
    """As pyarrow writes them."""
    content = renamed("select 1 as id, time '01:02:03' as at", b"\x7c\x12\x1c", b"\x7c\x11\x1c")
    columns = of({"id": "integer", "at": "time"}, written_as="parquet")
    assert shop.prepare(columns, {FILE: content}).column("at") == ["01:02:03"]


def test_row_of_parquet_that_does_not_fit_is_refused_alone(shop):
    content = parquet(
        "select i as id, repeat('x', i::int) as name from (values (1), (21), (2)) t(i)"
    )
    found = shop.prepare(of(written_as="parquet"), {FILE: content})
    assert found.column("id") == [1, 2]
    assert found.reasons == [(2, "column 'name' holds 21 bytes, more than varchar(20) can hold")]
    assert found.refused[0]["fields"] == {"id": "21", "name": "x" * 21}


def test_rows_of_parquet_keep_the_order_of_the_file(shop):
    content = parquet(
        "select (i * 7919) % 300007 as id, i::varchar as name from range(300007) t(i)"
    )
    found = shop.prepare(of(written_as="parquet"), {FILE: content})
    assert found.column("name") == [str(number) for number in range(300_007)]


def test_file_that_is_not_parquet_or_lacks_a_column_is_quarantined(shop):
    whole = parquet("select 1 as id, 'a' as name")
    files = {
        FILE + "1": b"id,name\n1,Ann\n",
        FILE + "2": whole[:-10],
        FILE + "3": parquet("select 1 as id"),
        FILE + "4": whole,
    }
    found = shop.prepare(of(written_as="parquet"), files)
    cut = "it is not Parquet, or its end is missing; write it as Parquet, and land it again"
    assert found.quarantined == {
        FILE + "1": cut,
        FILE + "2": cut,
        FILE + "3": "it has no column 'name'",
    }
    assert found.column("id") == [1]


@pytest.mark.parametrize(
    ("wanted", "without_name", "without_id", "lacks"),
    [
        (
            of(written_as="dms_csv", options={"header": True}),
            b"id\n1\n",
            b"name\nA\n",
            "the header does not name",
        ),
        (
            of(written_as="parquet"),
            parquet("select 1 as id"),
            parquet("select 'A' as name"),
            "it has no column",
        ),
    ],
    ids=["CSV", "Parquet"],
)
def test_file_may_lack_a_column_that_it_is_older_than_but_not_a_key(
    shop, wanted, without_name, without_id, lacks
):
    since = dict.fromkeys(("id", "name"), LANDED_AT + 1)
    newer = shop.land(FILE + "3", without_name, wanted, landed_at=LANDED_AT + 1)
    older = [shop.land(FILE + "1", without_name, wanted), shop.land(FILE + "2", without_id, wanted)]
    found = shop.prepare(wanted, [*older, newer], since=since)
    assert [(row["id"], row["name"]) for row in found.rows] == [(1, None)]
    assert found.quarantined == {FILE + "2": f"{lacks} 'id'", FILE + "3": f"{lacks} 'name'"}


def test_older_file_that_a_replaced_table_is_refreshed_with_may_lack_columns_it_came_before(shop):
    wanted = of(written_as="parquet", write="replace", key=())
    moved = shop.land(FILE, parquet("select 1 as id"), wanted, landed_at=LANDED_AT + 9)
    since = {"name": LANDED_AT + 1}
    assert shop.prepare(wanted, [moved], since=since, moved_by=8).rows == []
    found = shop.prepare(wanted, [moved], since=since, moved_by=9)
    assert [(row["id"], row["name"]) for row in found.rows] == [(1, None)]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda whole: whole.replace(b"ALICE", b"AL\xffCE"), "a text in it is not UTF-8"),
        (lambda whole: whole[:4] + whole[9000:], "it is damaged, or a part of it"),
    ],
    ids=["not UTF-8", "a part is missing"],
)
def test_parquet_that_is_broken_inside_is_quarantined_without_what_it_holds(shop, damage, reason):
    rows = "select i as id, 'Ann' || i as name from range(3000) t(i)"
    whole = parquet(f"{rows} union all select 3000, 'ALICE'", "compression uncompressed")
    assert whole.count(b"ALICE") >= 1
    good = parquet("select 9 as id, 'a' as name")
    found = shop.prepare(of(written_as="parquet"), {FILE: damage(whole), SNAPSHOT: good})
    assert list(found.quarantined) == [FILE]
    assert reason in found.quarantined[FILE]
    assert "CE" not in found.quarantined[FILE]
    assert found.column("id") == [9]


def test_parquet_that_holds_too_much_is_quarantined(shop):
    much = parquet("select 1 as id, null::varchar as name from range(35_000_000)")
    few = parquet("select 9 as id, 'a' as name")
    found = shop.prepare(of(written_as="parquet"), {FILE: much, SNAPSHOT: few})
    assert found.column("id") == [9]
    assert found.quarantined == {
        FILE: f"its {len(much):,} bytes unpack to more than 64MB; split it, or raise "
        "source.max_expansion in the contract, and land it again"
    }


def test_parquet_may_be_packed_as_a_whole(shop):
    packed = gzip.compress(parquet("select 9 as id, 'a' as name"))
    assert shop.prepare(of(written_as="parquet"), {FILE: packed}).column("id") == [9]


def test_time_of_change_orders_parquet_as_it_orders_csv(shop):
    columns = of({"id": "integer"}, written_as="parquet", options={"timestamp": "ts"})
    content = parquet(
        "select 1 as id, t as ts from (values (timestamp '2024-08-09 19:27:17.2'), "
        "(timestamp '2024-08-09 19:27:17.1')) v(t)"
    )
    found = shop.prepare(columns, {FILE: content})
    assert [row["_position"] for row in found.rows] == [
        "000001 1 2024-08-09T19:27:17.200000 20240809-192717787!/1723231637 0000000001"
    ]
