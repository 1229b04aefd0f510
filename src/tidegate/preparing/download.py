"""Bringing a chunk's objects onto the local disk, just as they were when they landed."""

import gzip
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.landing.fetching import GoneError, fetch
from tidegate.landing.objects import LandedFile

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_AT_ONCE = 16
_PIECE = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class LocalFile:
    """An object on the disk, or the reason why it cannot be had any more.

    Unpacked it `has_quotes`, if it holds a quotation mark.
    """

    file: LandedFile
    path: Path
    unreadable: str | None = None
    has_quotes: bool = False


def download(
    s3: "S3Client", bucket: str, files: list[LandedFile], folder: Path
) -> Iterator[LocalFile]:
    """Fetch `files` into `folder`, in their order, several at once.

    Raises:
        botocore.exceptions.ClientError: S3 refused for another reason than that the object is gone.
    """

    def save(numbered: tuple[int, LandedFile]) -> LocalFile:
        number, file = numbered
        return _save(s3, bucket, file, folder / f"{number:06d}")

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(save, enumerate(files))


def _save(s3: "S3Client", bucket: str, file: LandedFile, path: Path) -> LocalFile:
    try:
        body = fetch(s3, bucket, file)
    except GoneError as error:
        return LocalFile(file, path, unreadable=str(error))
    has_quotes = False
    with path.open("wb") as target:
        for piece in body.iter_chunks(_PIECE):
            target.write(piece)
            has_quotes = has_quotes or b'"' in piece
    path = _named_by_compression(path)
    if path.suffix == ".gz":
        return _looked_through(file, path)
    return LocalFile(file, path, has_quotes=has_quotes)


def _named_by_compression(path: Path) -> Path:
    # DuckDB tells compression by the name, users do not always: the first bytes tell for sure.
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return path.rename(path.with_suffix(".gz")) if compressed else path


def _looked_through(file: LandedFile, path: Path) -> LocalFile:
    """A compressed file, read to its end: DuckDB does not compare its checksum."""
    has_quotes = False
    try:
        with gzip.open(path) as content:
            while piece := content.read(_PIECE):
                has_quotes = has_quotes or b'"' in piece
    except (EOFError, OSError, zlib.error) as error:
        why = f"the gzip stream is broken ({error}); land the file again"
        return LocalFile(file, path, unreadable=why)
    return LocalFile(file, path, has_quotes=has_quotes)
