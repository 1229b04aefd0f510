"""Unpacking gzip, so that all that reads a file finds it plain, within the limits of its contract.

DuckDB reads gzip as well, but not with a comment or a checksum in its header, or zeros behind it.
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
    """Whether the file at `path` is gzip: names do not always tell, the first bytes do."""
    with path.open("rb") as file:
        return file.read(len(GZIP)) == GZIP


def unpacked(packed: Path, source: Source) -> Iterator[bytes]:
    """What the gzip at `packed` holds, with its checksum compared; zeros behind it are no matter.

    Raises:
        UnpackingError: it is broken, or holds more than `source` allows.
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
    """Why a file of `size` bytes, which holds more than `source` allows, is not read."""
    most = source.most_unpacked(size)
    key = "max_unpacked" if most == source.max_unpacked else "max_expansion"
    return (
        f"its {size:,} bytes unpack to more than {written_size(most)}; split it, or raise "
        f"source.{key} in the contract, and land it again"
    )


def _what_is_wrong(error: Exception) -> str:
    # It goes on with the first bytes that are no gzip.
    if str(error).startswith("Not a gzipped file"):
        return "something that is not gzip follows the gzip stream; land the file again without it"
    return f"the gzip stream is broken ({error}); land the file again"
