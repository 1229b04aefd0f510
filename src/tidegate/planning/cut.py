"""Cuts pending files into a batch, and the batch into chunks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from tidegate.batch.objects import LandedFile

_MEGABYTE = 1 << 20
_GROWS = {".gz": 6, ".parquet": 3}  # about how many times larger the file is as plain text


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a chunk and a batch hold at most; sizes in bytes.

    A chunk always holds at least one file. The first batch of a table holds up to `first_chunks`
    chunks, any other up to `batch_chunks`. If that is None, a batch holds everything.
    """

    chunk_bytes: int = 256 * _MEGABYTE
    chunk_files: int = 250
    batch_chunks: int | None = 20
    first_chunks: int = 200

    def first_load(self) -> "Limits":
        """Return the limits for the first batch of a table, which may be larger."""
        return replace(self, batch_chunks=self.first_chunks)

    def one_file(self) -> "Limits":
        """Return the limits for a batch of a single file."""
        return replace(self, chunk_files=1, batch_chunks=1)


def cut_batch(waiting: Iterable[LandedFile], limits: Limits) -> list[list[LandedFile]]:
    """Return the chunks of the next batch: as many `waiting` files as fit, in their order."""
    chunks: list[list[LandedFile]] = []
    room = 0
    taken: set[str] = set()
    for file in waiting:
        # If a contract change moves an object in source order, it is pending at both places.
        if file.id in taken:
            continue
        weight = weigh(file)
        if not chunks or weight > room or len(chunks[-1]) >= limits.chunk_files:
            if len(chunks) == limits.batch_chunks:
                break
            chunks.append([])
            room = limits.chunk_bytes
        chunks[-1].append(file)
        taken.add(file.id)
        room -= weight
    return chunks


def weigh(file: LandedFile) -> int:
    """Estimate how many bytes of text a file holds."""
    return file.size * _GROWS.get(PurePosixPath(file.key).suffix, 1)
