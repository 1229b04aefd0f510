"""Opening downloaded files."""

import gzip
from pathlib import Path
from typing import BinaryIO


def open_bytes(path: Path) -> BinaryIO:
    """The content of the file at `path`, uncompressed."""
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]
