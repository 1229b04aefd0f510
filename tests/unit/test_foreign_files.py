"""A file that is something else than its contract says is told of in words that help."""

import bz2
import gzip
import io
import lzma
import random
import zipfile

import duckdb
import pytest

from tests.unit.samples import PREFIX, Workshop, contract, parquet

FILE, GOOD = PREFIX + "20240809-192717787", PREFIX + "20240809-192717788"
WHOLE = parquet("select range as id, 'secret' || range as name from range(5000)")
RECORDS = {
    "dms_csv": b"I,1,Ann\n",
    "jsonl": b'{"id": 1, "name": "Ann"}\n',
    "parquet": parquet("select 1 as id, 'Ann' as name"),
}
FORMATS = sorted(RECORDS)


def zipped(*names: str) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name in names:
            archive.writestr(name, "secret")
    return whole.getvalue()


def encrypted(folder) -> bytes:
    path = folder / "encrypted.parquet"
    with duckdb.connect() as connection:
        connection.execute("set force_mbedtls_unsafe = true")
        connection.execute("pragma add_parquet_key('k', '0123456789112345')")
        connection.execute(
            f"copy (select 1 as id) to '{path}' (encryption_config {{footer_key: 'k'}})"
        )
    return path.read_bytes()


BINARY = {
    "it is a ZIP archive; unpack it": zipped("orders.csv"),
    "it is an Excel workbook, which Tidegate cannot read": zipped("[Content_Types].xml"),
    "it is a 7z archive; unpack it": b"7z\xbc\xaf\x27\x1c\0\4",
    "it is compressed with bzip2; use gzip or no compression": bz2.compress(b"secret"),
    "it is compressed with xz; use gzip or no compression": lzma.compress(b"secret"),
    "it is compressed with Zstandard; use gzip or no compression": b"\x28\xb5\x2f\xfd\x04\0secret",
    "it is compressed with gzip twice; unpack it once": gzip.compress(gzip.compress(b"secret")),
    "it is Avro, which Tidegate cannot read": b"Obj\x01\x04\x14avro.codec",
    "it is ORC, which Tidegate cannot read": b"ORC\n\x0b\n\x03\0\0",
    "it is a PDF document, which Tidegate cannot read": b"%PDF-1.7\n\0",
    "it is an Excel workbook or another Office document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "it is UTF-16; write it in UTF-8": "I,1,secret\n".encode("utf-16"),
    "it is UTF-16; write it in UTF-8, and": "I,1,Zoë\n".encode("utf-16-be"),
}
TEXT = {
    "it is a web page, maybe an error page of a server": b"\n<!DOCTYPE html><html>secret",
    "it is XML, maybe an error page of a server": b'<?xml version="1.0"?><Error>secret</Error>\n',
}


@pytest.fixture
def shop(aws) -> Workshop:
    return Workshop()


def why(shop: Workshop, written_as: str, content: bytes) -> str:
    of = contract(written_as=written_as)
    found = shop.prepare(of, {FILE: content, GOOD: RECORDS[written_as]})
    assert (list(found.quarantined), found.column("id")) == ([FILE], [1])
    assert "secret" not in found.quarantined[FILE]
    return found.quarantined[FILE]


@pytest.mark.parametrize("written_as", FORMATS)
@pytest.mark.parametrize("told", [*BINARY, *TEXT])
def test_file_of_another_kind_is_told_of_as_what_it_is(shop, written_as, told):
    assert why(shop, written_as, (BINARY | TEXT)[told]).startswith(told)


@pytest.mark.parametrize(
    ("written_as", "given", "told"),
    [
        ("dms_csv", WHOLE, "it is Parquet; correct source.format in the contract"),
        ("jsonl", WHOLE, "it is Parquet; correct source.format in the contract"),
        ("dms_csv", b'{"id": 1}\n', "it is JSON; correct source.format in the contract"),
        ("dms_csv", b'[{"id": 1},\n{"id": 2}]', "it is JSON; correct source.format in the contr"),
        ("parquet", b'{"id": 1, "more": 1}', "it is JSON; correct source.format in the contract"),
        ("jsonl", b'[{"id": 1},\n{"id": 2}]', "it is one JSON array; write each object on its own"),
        ("jsonl", b"x", "it is not JSON lines: the first line is not a JSON object; write"),
        ("parquet", b"I,1,secret\n", "it is too short to be Parquet; write it as Parquet"),
        ("parquet", b"I,1,secret\n" * 9, "it is not Parquet, or its end is missing; write it as"),
        ("parquet", WHOLE[:-1], "it is not Parquet, or its end is missing; write it as Parquet"),
        ("parquet", WHOLE[:-8] + b"\0\0\0\x40PAR1", "it is damaged, or a part of it is missing"),
        ("parquet", WHOLE[:4] + WHOLE[2000:], "it is damaged, or a part of it is missing; write"),
    ],
)
def test_file_of_another_format_is_told_of_as_what_it_is(shop, written_as, given, told):
    assert why(shop, written_as, given).startswith(told)


def test_csv_with_a_header_is_told_of_as_what_it_is_too(shop):
    told = why_of_header(shop, b'{"id": 1}\n')
    assert told.startswith("it is JSON; correct source.format in the contract")
    assert why_of_header(shop, b"Op,id\n") == "the header does not name 'name'"


def why_of_header(shop: Workshop, content: bytes) -> str:
    found = shop.prepare(contract(options={"header": True}), {FILE: content})
    return found.quarantined[FILE]


@pytest.mark.parametrize("written_as", FORMATS)
def test_encrypted_parquet_is_told_of_in_every_format(shop, written_as, tmp_path):
    told = "it is encrypted Parquet; write it without Parquet encryption, and land it again"
    assert why(shop, written_as, encrypted(tmp_path)) == told


@pytest.mark.parametrize("first", [b"ORC", b"PAR1", b"BZh", b"%PDF-", b"<html>", b"<?xml", b"[{"])
def test_text_may_begin_as_other_files_do(shop, first):
    of = contract({"id": "varchar(9)", "name": "varchar(9)"})
    found = shop.prepare(of, {PREFIX + "LOAD00000001.csv": first + b",Ann\n"})
    assert (found.column("id"), found.quarantined) == ([first.decode()], {})


def test_damaged_parquet_is_told_of_without_what_it_holds_and_stops_nothing_else(shop):
    dice = random.Random(7)
    for number in range(60):
        damaged = bytearray(WHOLE)
        for _ in range(dice.choice([1, 2, 5])):
            behind = dice.choice([700, len(WHOLE)])
            damaged[-dice.randrange(1, behind)] = dice.randrange(256)
        found = shop.prepare(
            contract(written_as="parquet"),
            {f"{PREFIX}{number}-1": bytes(damaged), f"{PREFIX}{number}-2": RECORDS["parquet"]},
        )
        assert found.files[f"{PREFIX}{number}-2"].records == 1
        for reason in found.quarantined.values():
            assert reason.startswith(
                ("it is ", "it has no column", "it cannot be read: a text in it is not UTF-8")
            )
            assert reason.isprintable()
            assert "tidegate-" not in reason
            assert "secret" not in reason
