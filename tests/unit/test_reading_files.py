"""How DMS CSV files are read: what their bytes mean, and which files are set apart whole."""

import gzip
import zlib

import pytest

from tests.unit.samples import CHANGES, PREFIX, SNAPSHOT, Workshop, contract, landed


@pytest.fixture
def shop(aws) -> Workshop:
    return Workshop()


def test_operation_stands_first_in_change_files(shop):
    found = shop.prepare(contract(), {CHANGES: b"I,1,Ann\nU,2,Bob\nD,3,\n"})
    assert [(row["id"], row["name"], row["_op"]) for row in found.rows] == [
        (1, "Ann", "I"),
        (2, "Bob", "U"),
        (3, None, "D"),
    ]


def test_full_load_files_have_no_operation(shop):
    found = shop.prepare(contract(), {SNAPSHOT: b"1,Ann\n2,Bob\n"})
    assert [(row["id"], row["_op"]) for row in found.rows] == [(1, "I"), (2, "I")]


def test_full_load_files_may_have_the_operation(shop):
    found = shop.prepare(contract(), {SNAPSHOT: b"I,1,Ann\nI,2,Bob\n"})
    assert [(row["id"], row["name"], row["_op"]) for row in found.rows] == [
        (1, "Ann", "I"),
        (2, "Bob", "I"),
    ]


def test_full_load_file_with_a_column_too_many_is_not_taken_for_one_with_operation(shop):
    found = shop.prepare(contract(), {SNAPSHOT: b"1,Ann,extra\n"})
    assert found.quarantined == {SNAPSHOT: "line 1: it has more than 2 columns"}


def test_columns_of_a_header_may_stand_in_any_order_and_more_of_them(shop):
    files = {CHANGES: b"Op,extra,name,id\nI,x,Ann,1\n", SNAPSHOT: b"id,name\n2,Bob\n"}
    found = shop.prepare(contract(options={"header": True}), files)
    assert [(row["id"], row["name"], row["_op"]) for row in found.rows] == [
        (2, "Bob", "I"),
        (1, "Ann", "I"),
    ]


def test_fields_give_the_columns_of_a_file_without_header(shop):
    found = shop.prepare(
        contract(fields=["cdc_ts", "name", "unused", "id"]), {SNAPSHOT: b"t,Ann,u,1\n"}
    )
    assert [(row["id"], row["name"]) for row in found.rows] == [(1, "Ann")]


def test_timestamp_option_orders_changes(shop):
    of = contract(options={"timestamp": "cdc_ts"}, columns={"id": "integer", "name": "varchar(9)"})
    late, early = b"2024-08-09 19:27:17.000002", b"2024-08-09 19:27:17.000001"
    found = shop.prepare(of, {CHANGES: b"U,%s,1,new\nU,%s,1,old\n" % (late, early)})
    assert [(row["name"], row["_position"]) for row in found.rows] == [
        ("new", "000001 1 2024-08-09T19:27:17.000002 20240809-192717787.csv!/1723231637 0000000001")
    ]


def test_commit_times_may_have_a_zone_and_are_ordered_in_utc(shop):
    of = contract(options={"timestamp": "at"}, columns={"id": "integer", "name": "varchar(9)"})
    times = ["2024-08-09T19:27:17.5Z", "2024-08-09 21:27:17 +02:00", "2024-08-09 19:27:17.25"]
    lines = "".join(f"U,{at},1,{number}\n" for number, at in enumerate(times))
    found = shop.prepare(of, {CHANGES: lines.encode()})
    assert [(row["name"], row["_position"][9:35]) for row in found.rows] == [
        ("0", "2024-08-09T19:27:17.500000")
    ]


def test_quoted_fields_hold_delimiters_quotes_and_line_ends(shop):
    found = shop.prepare(contract(), {CHANGES: b'I,1,"a, ""b""\nc\r\nd"\nI,2,x\n'})
    assert found.column("name") == ['a, "b"\nc\r\nd', "x"]
    assert found.files[CHANGES].records == 2


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "text", ['5" pipe', 'a"b"c', "6' 2\"", '"a, ""b"""', 'ä"', '"x\n"", y"', '"5"" disk"']
)
@pytest.mark.parametrize(("key", "operation"), [(CHANGES, "I,"), (SNAPSHOT, "I,"), (SNAPSHOT, "")])
def test_quotation_mark_is_the_same_in_the_first_record_as_in_any_other(
    shop, key, operation, text, end, place
):
    lines = ["1,x", "2,y"]
    lines.insert(place, f"7,{text}")
    content = end.join(operation + line for line in lines).encode()
    found = shop.prepare(contract(), {key: content})
    meant = text[1:-1].replace('""', '"') if text[0] == '"' else text
    names = ["x", "y"]
    names.insert(place, meant)
    assert (found.column("name"), found.quarantined) == (names, {})


def test_header_may_hold_a_quotation_mark(shop):
    of = contract({"id": "integer", "name": "varchar(9)"}, options={"header": True})
    found = shop.prepare(of, {CHANGES: b'Op,id,5" disk,name\nI,1,x,Ann\n'})
    assert (found.column("name"), found.chunk.unread) == (["Ann"], ['5" disk'])


CUT_GZIP = (
    "the gzip stream is broken (Compressed file ended before the end-of-stream marker was "
    "reached); land the file again"
)


@pytest.mark.parametrize("first", ["a\r\nb", "a\nb", "a\rb"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_within_the_first_record_do_not_decide_how_records_end(shop, first, end):
    content = f'I,1,"{first}"{end}I,2,x{end}'.encode()
    assert shop.prepare(contract(), {CHANGES: content}).column("name") == [first, "x"]


@pytest.mark.parametrize(
    ("null", "text", "value"),
    [
        ("NULL", "NULL", None),
        ("NULL", '"NULL"', "NULL"),
        ("NULL", "", ""),
        ("NULL", '""', ""),
        ("NULL", "null", "null"),
        ("", "", None),
        ("", '""', ""),
        ("", "NULL", "NULL"),
        ("\\N", "\\N", None),
        ("-", "-", None),
        ("-", "", ""),
        ("'", "'", None),
    ],
)
def test_unquoted_null_text_is_null_and_anything_else_is_itself(shop, null, text, value):
    found = shop.prepare(contract(options={"null": null}), {CHANGES: f"I,1,{text}\n".encode()})
    assert found.column("name") == [value]


def test_empty_text_is_null_for_all_but_characters(shop):
    of = contract({"id": "integer", "n": "integer", "d": "date", "b": "boolean", "s": "super"})
    found = shop.prepare(of, {CHANGES: b'I,1,,"",,\n'})
    assert [row[name] for row in found.rows for name in "ndbs"] == [None] * 4


@pytest.mark.parametrize(
    "content",
    [
        b"I,1,Ann\nI,2,Bob",
        b"\xef\xbb\xbfI,1,Ann\nI,2,Bob\n",
        b"I,1,Ann\r\nI,2,Bob\r\n",
        b"I,1,Ann\n\n\nI,2,Bob\n\n",
        b"\nI,1,Ann\nI,2,Bob\n",
        b"\r\n\r\nI,1,Ann\r\n\r\nI,2,Bob\r\n",
        gzip.compress(b"I,1,Ann\nI,2,Bob\n"),
        gzip.compress(b"I,1,Ann\n") + gzip.compress(b"I,2,Bob\n"),
    ],
    ids=["no end", "mark", "crlf", "blanks", "blank first", "crlf blanks", "gzip", "two gzips"],
)
def test_same_records_in_other_bytes(shop, content):
    found = shop.prepare(contract(), {CHANGES: content})
    assert [(row["id"], row["name"]) for row in found.rows] == [(1, "Ann"), (2, "Bob")]
    assert found.files[CHANGES].records == 2


def gzip_with(flags: int, extra: bytes) -> bytes:
    """A gzip of one record whose header has more than Python's does."""
    whole = gzip.compress(b"I,1,Ann\n", mtime=0)
    header = whole[:3] + bytes([flags]) + whole[4:10] + extra
    checksum = zlib.crc32(header).to_bytes(4, "little")[:2] if flags & 2 else b""
    return header + checksum + whole[10:]


@pytest.mark.parametrize(
    "content",
    [
        gzip_with(16, b"a comment\0"),
        gzip_with(8, b"name.csv\0"),
        gzip_with(4, b"\x03\0abc"),
        gzip_with(2, b""),
        gzip_with(2 + 4 + 8 + 16, b"\x03\0abc" + b"name.csv\0" + b"a comment\0"),
        gzip.compress(b"I,1,Ann\n") + bytes(1),
        gzip.compress(b"I,1,Ann\n") + bytes(4096),
        gzip.compress(b"I,1,Ann\n") + bytes(512) + gzip.compress(b""),
    ],
    ids=["comment", "name", "extra", "checksum", "all", "a zero", "zeros", "zeros between"],
)
def test_gzip_is_read_whatever_its_header_has_and_with_zeros_behind_it(shop, content):
    found = shop.prepare(contract(), {CHANGES: content})
    assert (found.column("name"), found.quarantined) == (["Ann"], {})


RECORDS = 70_000
BOMB = gzip.compress((b"I,1,Ann" + b" " * 1016 + b"\n") * RECORDS)
MORE = (
    f"its {len(BOMB):,} bytes "
    "unpack to more than {}; split it, or raise source.{} in the contract, and "
)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({}, MORE.format("64MB", "max_expansion")),
        ({"max_expansion": 9_999, "max_unpacked": "65MB"}, MORE.format("65MB", "max_unpacked")),
    ],
)
def test_gzip_that_holds_too_much_is_quarantined_before_it_fills_the_disk(shop, limits, reason):
    of = contract(source={"prefix": PREFIX, "format": "dms_csv", **limits})
    good = PREFIX + "20240809-192717788.csv"
    found = shop.prepare(of, {CHANGES: BOMB, good: b"I,9,Zoe\n"})
    assert found.quarantined == {CHANGES: reason + "land it again"}
    assert found.column("name") == ["Zoe"]


def test_gzip_that_holds_much_is_read_if_the_contract_allows_it(shop):
    of = contract(source={"prefix": PREFIX, "format": "dms_csv", "max_expansion": 9_999})
    assert shop.prepare(of, {CHANGES: BOMB}).files[CHANGES].records == RECORDS


def test_gzip_is_told_by_content_not_by_name(shop):
    files = {PREFIX + "1.csv.gz": b"I,1,Ann\n", PREFIX + "2.csv": gzip.compress(b"I,2,Bob\n")}
    assert shop.prepare(contract(), files).column("name") == ["Ann", "Bob"]


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"\r\n\n", b"\xef\xbb\xbf", gzip.compress(b"")],
    ids=["nothing", "blank", "blanks", "mark", "gzip"],
)
def test_empty_file_is_applied_as_nothing(shop, header, content):
    found = shop.prepare(contract(options={"header": header}), {CHANGES: content})
    assert (found.chunk.rows, found.chunk.parquet, found.chunk.refused) == (0, None, None)
    assert (found.files[CHANGES].records, found.quarantined) == (0, {})


def test_file_of_nothing_but_a_header_is_applied_as_nothing(shop):
    found = shop.prepare(contract(options={"header": True}), {CHANGES: b"Op,id,name\n"})
    assert (found.chunk.rows, found.quarantined) == (0, {})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"I,1,Ann\nI,2\nI,3,Cy\n", "line 2: it has 2 columns, not 3"),
        (b'I,1,"A\nnn"\n\nI,2,B,?\n', "line 4: it has more than 3 columns"),
        (b'I,1,Ann\nI,2,"Bob\nI,3,Cy\n', "line 2: a quoted value does not end"),
        (b'I,1,"Ann"secret\n', "line 1: a quoted value does not end"),
        (
            b"I,1,Ann\nI,2,secret\xe9\n",
            "line 2: it is not UTF-8",
        ),
        (
            b"I,1,Ann\nI,2,a\rb\n",
            (
                "it cannot be read: its lines end in different ways, or a carriage return is "
                "outside quotes; end all lines alike, and land it again"
            ),
        ),
        (b'I,1,5" pipe\nI,2,x\nI,3\n', "line 3: it has 2 columns, not 3"),
        (b'I,1,5" a\nI,2,"x\ny"\nI,3\n', "line 4: it has 2 columns, not 3"),
        (b"I,1" + b",x" * 1_000_000 + b"\n", "line 1: it has more than 3 columns"),
        (b"I,1,Ann\n\nI,2" + b",x" * 999_000 + b"\n", "line 3: it has more than 3 columns"),
        (b"I,1,Ann\nI,2," + b"x" * 2_000_001, "line 2: it is longer than 2,000,000 bytes"),
        (b"I,1,Ann\n   \n", "line 2: it has 1 column, not 3"),
        (gzip.compress(b"I,1,Ann\n" * 9999)[:-20], CUT_GZIP),
        (gzip.compress(b"I,1,Ann\n")[:12], CUT_GZIP),
        (
            gzip.compress(b"I,1,Ann\n") + b"secret",
            "something that is not gzip follows the gzip stream; land the file again without it",
        ),
        (
            gzip.compress(b"I,1,Ann\n")[:-8] + bytes(8),
            "the gzip stream is broken (CRC check failed 0x0 != 0xeab0350f); land the file again",
        ),
    ],
    ids=[
        "few",
        "many",
        "open quote",
        "after quote",
        "latin 1",
        "bare cr",
        "quotation mark before",
        "quotation before",
        "a million columns",
        "a million columns later",
        "long",
        "blanks",
        "cut gzip",
        "cut short",
        "bytes behind gzip",
        "crc",
    ],
)
def test_file_that_is_not_what_it_should_be_is_quarantined_whole(shop, content, reason):
    good = PREFIX + "20240809-192717788.csv"
    found = shop.prepare(contract(), {CHANGES: content, good: b"I,9,Zoe\n"})
    assert found.quarantined == {CHANGES: reason}
    assert (found.files[CHANGES].records, found.files[good].records) == (0, 1)
    assert found.column("name") == ["Zoe"]


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
@pytest.mark.parametrize(
    "content", [b'I,1,"x\nI,2,y\n', b'I,1,5" disk\nI,2,"x\n', b'I,1,"x""\n'], ids=repr
)
def test_quotation_that_does_not_end_is_found_among_many_files(shop, content, packed):
    """The second file is the one in which an even number of marks hides it."""
    good = {f"{PREFIX}{n:04d}.csv": packed(b'I,%d,"a, b"\n' % n) for n in range(40)}
    found = shop.prepare(contract(), good | {CHANGES: packed(content)})
    assert list(found.quarantined) == [CHANGES]
    assert found.quarantined[CHANGES].endswith("a quoted value does not end")
    assert sorted(found.column("id")) == list(range(40))


@pytest.mark.parametrize("start", ["part", "n" * 200])
def test_later_file_by_the_number_in_its_name_is_newer(shop, start):
    older, newer = f"{PREFIX}{start}_9.csv", f"{PREFIX}{start}_10.csv"
    found = shop.prepare(contract(), {newer: b"U,1,new\n", older: b"U,1,old\n"})
    assert found.column("name") == ["new"]


def test_file_whose_name_is_too_long_to_have_an_order_is_quarantined(shop):
    long = f"{PREFIX}{'n' * 260}_9.csv"
    found = shop.prepare(contract(), {long: b"U,1,x\n", CHANGES: b"U,2,y\n"})
    assert found.column("id") == [2]
    assert found.quarantined == {
        long: "its name is longer than 255 bytes (each number in it counts as a few bytes more), "
        "which is too long to order files by their names; land it under a shorter name"
    }


def test_wrong_line_is_named_in_compressed_files_too(shop):
    content = gzip.compress(b"I,1,Ann\n" * 200_000 + b"I,2\n")
    assert shop.prepare(contract(), {CHANGES: content}).quarantined == {
        CHANGES: "line 200001: it has 2 columns, not 3"
    }


def test_every_bad_file_among_many_is_found(shop):
    bad = {f"{PREFIX}{n:04d}.csv": b"I,%d,Ann\nI,%d\n" % (n, n) for n in range(0, 120, 2)}
    good = {f"{PREFIX}{n:04d}.csv": b"I,%d,Ann\n" % n for n in range(1, 120, 2)}
    found = shop.prepare(contract(), bad | good)
    assert set(found.quarantined) == set(bad)
    assert sorted(found.column("id")) == list(range(1, 120, 2))


def test_unreadable_files_among_many_are_found_by_halving(shop):
    whole = gzip.compress(b"I,1,Ann\n" * 9999)
    files = {f"{PREFIX}{n:04d}.csv": whole for n in range(20)}
    cut = {f"{PREFIX}0003.csv", f"{PREFIX}0017.csv"}
    found = shop.prepare(contract(), files | dict.fromkeys(cut, whole[:-20]))
    assert set(found.quarantined) == cut
    assert {file.records for key, file in found.files.items() if key not in cut} == {9999}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"Op,id,id,name\n", "the header repeats column names (1 too many); rename them"),
        (b"Op,name,ID\n", "the header does not name 'id'"),
        (b"Op,id,name" + b",x" * 1_000_000, "the header is longer than 2,000,000 bytes"),
        (b"Op,id,n\xe9\n", "the header is not UTF-8"),
        (b"Op,id,name\rI,1,a\r", "the header cannot be read: a carriage return is outside"),
        (b'Op,"id"x,name\n', "the header cannot be read: a quoted name does not end, or text"),
    ],
)
def test_file_with_an_unfit_header_is_quarantined_whole(shop, content, reason):
    found = shop.prepare(contract(options={"header": True}), {CHANGES: content})
    assert found.quarantined[CHANGES].startswith(reason)


WITH_MORE = b"Op,extra,name,id,Other\nI,x,Ann,1,y\n"


def test_columns_that_the_contract_does_not_name_are_left_unread_and_reported(shop):
    found = shop.prepare(contract(options={"header": True}), {CHANGES: WITH_MORE})
    assert (found.column("name"), found.chunk.unread) == (["Ann"], ["Other", "extra"])


def test_columns_that_the_contract_does_not_name_quarantine_the_file_if_they_are_refused(shop):
    good = PREFIX + "20240809-192717788.csv"
    of = contract(options={"header": True}, evolve="refuse")
    found = shop.prepare(of, {CHANGES: WITH_MORE, good: b"Op,name,id\nI,Bob,2\n"})
    assert found.quarantined == {
        CHANGES: "the contract does not know 'extra', 'Other'; add it to columns, or to "
        "source.fields if you do not want it, and land the file again"
    }
    assert found.column("name") == ["Bob"]


def test_columns_in_source_fields_are_known_and_not_refused(shop):
    fields = ["id", "name", "extra", "Other"]
    of = contract(options={"header": True}, fields=fields, evolve="refuse")
    found = shop.prepare(of, {CHANGES: WITH_MORE})
    assert (found.column("name"), found.chunk.unread) == (["Ann"], [])


@pytest.mark.parametrize("content", [b"Op,id\nI,1\n", b"Op,name\nI,Ann\n"])
def test_with_add_a_file_may_lack_all_columns_but_the_key(shop, content):
    of = contract(options={"header": True}, evolve="add")
    found = shop.prepare(of, {CHANGES: content})
    if b"id" in content:
        assert [(row["id"], row["name"]) for row in found.rows] == [(1, None)]
    else:
        assert found.quarantined == {CHANGES: "the header does not name 'id'"}


def test_object_that_was_replaced_or_deleted_before_it_was_read_is_quarantined(shop):
    of = contract()
    replaced = shop.land(CHANGES, b"I,1,old\n", of)
    now = shop.land(CHANGES, b"I,1,new\n", of)
    gone = landed(PREFIX + "gone.csv", of=of)
    chunk = shop.prepare(of, [replaced, now, gone]).chunk
    assert [file.quarantined for file in chunk.files] == [
        "the object was replaced before it was read; Tidegate loads the new object instead",
        None,
        "the object was deleted before it was read; land it again",
    ]
    assert chunk.rows == 1


def test_delimiter_may_be_any_character(shop):
    of = contract(options={"delimiter": "§"})
    assert shop.prepare(of, {CHANGES: "I§1§a,b\n".encode()}).column("name") == ["a,b"]


def test_files_of_one_name_in_several_folders_are_told_apart(shop):
    names = [f"{PREFIX}2024/08/{day:02d}/20240809-192717787.csv" for day in (9, 10, 11)]
    files = {name: b"I,%d,Ann\nI,x,Bob\n" % n for n, name in enumerate(names)}
    found = shop.prepare(contract(), files)
    assert found.column("id") == [0, 1, 2]
    assert [(refusal["file"], refusal["record"]) for refusal in found.refused] == [
        (name, 2) for name in names
    ]
    assert {file.refused for file in found.files.values()} == {1}


@pytest.mark.parametrize("cut", [b'2,"y', b"2,y,z\n", b"2,\xe9\n"], ids=["open", "wide", "latin-1"])
def test_snapshot_of_replace_that_is_malformed_is_quarantined_and_the_next_one_taken(shop, cut):
    of = contract(options={"header": True}, write="replace", key=())
    files = {PREFIX + "1.csv": b"id,name\n1,x\n" + cut, PREFIX + "2.csv": b"id,name\n3,z\n"}
    found = shop.prepare(of, files)
    assert [*found.quarantined] == [PREFIX + "1.csv"]
    assert found.column("id") == [3]
