"""Tells by the first bytes of a file which other format it has than its contract says."""

from dataclasses import dataclass
from pathlib import Path

_LOOKED_AT = 1 << 10  # bytes
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1a"))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: how it begins, the reason for people, and its `source.format`, if any."""

    begins: bytes
    told: str
    is_format: str | None = None


def _packed(begins: bytes, by: str) -> Kind:
    told = f"it is compressed with {by}; use gzip or no compression, and land it again"
    return Kind(begins, told)


def _unread(begins: bytes, what: str) -> Kind:
    told = f"it is {what}, which Tidegate cannot read; land CSV, JSON lines or Parquet instead"
    return Kind(begins, told)


def _otherwise(begins: bytes, what: str, is_format: str) -> Kind:
    told = f"it is {what}; correct source.format in the contract or the file, and land it again"
    return Kind(begins, told, is_format)


_ARCHIVE = "it is {}; unpack it, and land the files in it"
_UTF_16 = "it is UTF-16; write it in UTF-8, and land it again"
_ERROR = "it is {}, maybe an error page of a server; look into it, and land the data instead"
ENCRYPTED = "it is encrypted Parquet; write it without Parquet encryption, and land it again"
_MARKS = (b"\xff\xfe", b"\xfe\xff")
# https://en.wikipedia.org/wiki/List_of_file_signatures
_BINARY = (
    Kind(b"\x1f\x8b", "it is compressed with gzip twice; unpack it once, and land it again"),
    Kind(b"PK\x03\x04", _ARCHIVE.format("a ZIP archive")),
    Kind(b"7z\xbc\xaf\x27\x1c", _ARCHIVE.format("a 7z archive")),
    _packed(b"BZh", "bzip2"),
    _packed(b"\xfd7zXZ\x00", "xz"),
    _packed(b"\x28\xb5\x2f\xfd", "Zstandard"),
    _packed(b"\x04\x22\x4d\x18", "LZ4"),
    _packed(b"\xff\x06\x00\x00sNaPpY", "Snappy"),
    _packed(b"\x89LZO\x00", "lzop"),
    _otherwise(b"PAR1", "Parquet", "parquet"),
    Kind(b"PARE", ENCRYPTED),
    _unread(b"Obj\x01", "Avro"),
    _unread(b"ORC", "ORC"),
    _unread(b"%PDF-", "a PDF document"),
    _unread(b"\xd0\xcf\x11\xe0", "an Excel workbook or another Office document"),
    *(Kind(mark, _UTF_16) for mark in _MARKS),
)
_WORKBOOK = _unread(b"PK\x03\x04", "an Excel workbook")
_PARTS_OF_A_WORKBOOK = (b"[Content_Types].xml", b"xl/", b"_rels/")
_MARKUP = (
    Kind(b"<!doctype html", _ERROR.format("a web page")),
    Kind(b"<html", _ERROR.format("a web page")),
    Kind(b"<?xml", _ERROR.format("XML")),
)
_ARRAY = Kind(b"[", "it is one JSON array; write each object on its own line, and land it again")
_JSON = (_otherwise(b"{", "JSON", "jsonl"), _otherwise(b"[{", "JSON", "jsonl"))


def foreign(path: Path, written_as: str) -> str | None:
    """Why a file cannot be read as `written_as`, if its first bytes show another format.

    The reason repeats no value of the file.
    """
    first = _first(path)
    return _told(_binary(first) or _text(first, written_as), written_as)


def foreign_for_sure(path: Path, written_as: str) -> str | None:
    """Like `foreign`, but only for first bytes that no file of the format `written_as` can have."""
    return _told(_binary(_first(path)), written_as)


def _told(kind: Kind | None, written_as: str) -> str | None:
    return None if kind is None or kind.is_format == written_as else kind.told


def _first(path: Path) -> bytes:
    with path.open("rb") as content:
        return content.read(_LOOKED_AT)


def _binary(first: bytes) -> Kind | None:
    if not first.startswith(_MARKS) and first == first.translate(None, _CONTROLS):
        return None  # a text file may also begin with ORC or PAR1
    if first.startswith(_WORKBOOK.begins) and any(part in first for part in _PARTS_OF_A_WORKBOOK):
        return _WORKBOOK
    found = (kind for kind in _BINARY if first.startswith(kind.begins))
    return next(found, Kind(b"", _UTF_16) if _is_every_other_byte_zero(first) else None)


def _is_every_other_byte_zero(first: bytes) -> bool:
    halves = (first[::2], first[1::2])
    return len(first) > 3 and any(map(all, halves)) and not all(map(any, halves))


def _text(first: bytes, written_as: str) -> Kind | None:
    begin = first.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    kinds = (*_MARKUP, _ARRAY) if written_as == "jsonl" else (*_MARKUP, *_JSON)
    return next((kind for kind in kinds if begin.startswith(kind.begins)), None)
