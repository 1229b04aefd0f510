"""Downloads the objects of a chunk, in the versions that landed, and unpacks them."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.batch.objects import LandedFile
from tidegate.contract.source import Source
from tidegate.preparing.unpacking import UnpackingError, is_packed, unpacked
from tidegate.storage.fetching import GoneError, fetch

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_AT_ONCE = 16
_PIECE = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class LocalFile:
    """An object on the disk, or in `unreadable` the reason why it is not there.

    `has_quotes` tells whether it has a quotation mark.
    """

    file: LandedFile
    path: Path
    unreadable: str | None = None
    has_quotes: bool = False


def download(
    s3: "S3Client", bucket: str, files: list[LandedFile], folder: Path, source: Source
) -> Iterator[LocalFile]:
    """Fetch `files` of `source` into `folder`, several at once; yield them in their order.

    Raises:
        botocore.exceptions.ClientError: S3 refused an object for another reason than that it is
            gone.
    """

    def save(numbered: tuple[int, LandedFile]) -> LocalFile:
        number, file = numbered
        path = folder / f"{number:06d}"
        try:
            return LocalFile(file, path, has_quotes=_save(s3, bucket, file, path, source))
        except (GoneError, UnpackingError) as error:
            return LocalFile(file, path, unreadable=str(error))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(save, enumerate(files))


def _save(s3: "S3Client", bucket: str, file: LandedFile, path: Path, source: Source) -> bool:
    has_quotes = _write(fetch(s3, bucket, file).iter_chunks(_PIECE), path)
    if not is_packed(path):
        return has_quotes
    packed = path.rename(path.with_suffix(".gz"))
    has_quotes = _write(unpacked(packed, source), path)
    packed.unlink()
    return has_quotes


def _write(pieces: Iterable[bytes], path: Path) -> bool:
    """Write `pieces` to `path`; return whether they have a quotation mark."""
    has_quotes = False
    with path.open("wb") as target:
        for piece in pieces:
            target.write(piece)
            has_quotes = has_quotes or b'"' in piece
    return has_quotes
