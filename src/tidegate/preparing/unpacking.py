"""Unpacks gzip within the limits of the contract, so that all readers see plain files.

DuckDB reads gzip too, but not with a comment or a checksum in the header, or with zeros at the end.
"""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from tidegate.contract.limits import written_size
from tidegate.contract.source import Source

_PIECE = 1 << 20  # bytes
GZIP = b"\x1f\x8b"


class UnpackingError(ValueError):
    """A file cannot be unpacked; the message says why, and what to do."""


def is_packed(path: Path) -> bool:
    """Whether the file at `path` is gzip, by its first bytes; names are not reliable."""
    with path.open("rb") as file:
        return file.read(len(GZIP)) == GZIP


def unpacked(packed: Path, source: Source) -> Iterator[bytes]:
    """Yield the content of the gzip at `packed` and verify its checksum; ignore zeros at the end.

    Raises:
        UnpackingError: it is broken, or its content is larger than `source` allows.
    """
    size = packed.stat().st_size
    most, so_far = source.most_unpacked(size), 0
    try:
        with gzip.open(packed) as content:
            while piece := content.read(_PIECE):
                so_far += len(piece)
                if so_far > most:
                    raise UnpackingError(too_large(size, source))
                yield piece
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnpackingError(_what_is_wrong(error)) from error


def too_large(size: int, source: Source) -> str:
    """The reason for a file of `size` bytes whose content is larger than `source` allows."""
    most = source.most_unpacked(size)
    key = "max_unpacked" if most == source.max_unpacked else "max_expansion"
    return (
        f"its {size:,} bytes unpack to more than {written_size(most)}; split it, or raise "
        f"source.{key} in the contract, and land it again"
    )


def _what_is_wrong(error: Exception) -> str:
    # Python's message repeats the first bytes that are not gzip.
    if str(error).startswith("Not a gzipped file"):
        return "something that is not gzip follows the gzip stream; land the file again without it"
    return f"the gzip stream is broken ({error}); land the file again"
