"""Reads the column names of landed files, for `evolve: add`, with as few bytes as possible."""

import csv
import io
import tempfile
import threading
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.batch.objects import LandedFile
from tidegate.contract import Contract
from tidegate.preparing.database import Database
from tidegate.preparing.download import download
from tidegate.preparing.formats.dms_csv import LONGEST_RECORD, first_record, is_whole, names_in
from tidegate.preparing.formats.fields import missing
from tidegate.preparing.formats.footer import read_columns
from tidegate.preparing.formats.jsonl import list_names
from tidegate.preparing.formats.shape import ShapeError
from tidegate.storage.fetching import GoneError, fetch

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_AT_ONCE = 16
_USUAL_HEADER = 1 << 16  # bytes
_ANY_FORMAT = 32 + zlib.MAX_WBITS
_PARQUET = b"PAR1"
_NOT_READ = (GoneError, ShapeError, UnicodeDecodeError, csv.Error, zlib.error)


@dataclass(frozen=True, slots=True)
class ReadNames:
    """Reads the header of a CSV file, the footer of a Parquet file, or all of a JSON lines file."""

    s3: "S3Client"
    landing_bucket: str
    database: Database
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, contract: Contract, files: Iterable[LandedFile]) -> list[list[str]]:
        """Return the names in each file; none for a file that prepare_chunk will quarantine."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(partial(self._usable, contract), files))

    def _usable(self, contract: Contract, file: LandedFile) -> list[str]:
        try:
            names = self._names(contract, file) if file.size else []
        except _NOT_READ:
            return []
        lacks = contract.source.format != "jsonl" and missing(names, contract)
        return [] if lacks or len(set(names)) < len(names) else names

    def _names(self, contract: Contract, file: LandedFile) -> list[str]:
        match contract.source.format:
            case "dms_csv":
                return names_in(self._header(contract, file), contract)
            case "parquet":
                return self._columns(file)
            case "jsonl":
                return self._fields(contract, file)

    def _header(self, contract: Contract, file: LandedFile) -> bytes:
        first, delimiter = b"", contract.source.options.delimiter
        for most in (_USUAL_HEADER, LONGEST_RECORD):
            content = fetch(self.s3, self.landing_bucket, file, f"0-{most - 1}").read()
            first = first_record(io.BytesIO(_unpacked(content)), delimiter)
            if is_whole(first, delimiter) or file.size <= most:
                break
        return first

    def _columns(self, file: LandedFile) -> list[str]:
        footer = fetch(self.s3, self.landing_bucket, file, f"-{_USUAL_HEADER}").read()
        # https://parquet.apache.org/docs/file-format/: … footer, its length, PAR1
        size = int.from_bytes(footer[-8:-4], "little") + 8
        if len(footer) < size <= file.size:
            footer = fetch(self.s3, self.landing_bucket, file, f"-{size}").read()
        with tempfile.NamedTemporaryFile(prefix="tidegate-footer-") as copy:
            # A sparse file of the same length, without the rows, so that it takes no disk space.
            copy.write(_PARQUET)
            copy.seek(file.size - len(footer))
            copy.write(footer)
            copy.flush()
            with self._one_at_a_time, self.database.connect() as connection:
                return [column.name for column in read_columns(Path(copy.name), connection)]

    def _fields(self, contract: Contract, file: LandedFile) -> list[str]:
        # The whole file is downloaded, and the disk is sure to have room for only one.
        with (
            self._one_at_a_time,
            tempfile.TemporaryDirectory(prefix="tidegate-names-") as folder,
        ):
            source = contract.source
            [local] = download(self.s3, self.landing_bucket, [file], Path(folder), source)
            if local.unreadable:
                return []
            with self.database.connect() as connection:
                return list_names(local.path, contract, connection)


def _unpacked(content: bytes) -> bytes:
    if content[:2] != b"\x1f\x8b":
        return content
    return zlib.decompressobj(_ANY_FORMAT).decompress(content, LONGEST_RECORD)
