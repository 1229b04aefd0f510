"""Cutting what waits into a batch, and the batch into chunks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from tidegate.batch.objects import LandedFile

_MEGABYTE = 1 << 20
_GROWS = {".gz": 6, ".parquet": 3}  # times; to about that part the text of tables shrinks


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a chunk holds at most (one file it always holds), and a batch; sizes in bytes.

    The first batch of a table holds `first_chunks`; without `batch_chunks` a batch holds all there
    is.
    """

    chunk_bytes: int = 256 * _MEGABYTE
    chunk_files: int = 250
    batch_chunks: int | None = 20
    first_chunks: int = 200

    def first_load(self) -> "Limits":
        """A batch of what landed before there was a table."""
        return replace(self, batch_chunks=self.first_chunks)

    def one_file(self) -> "Limits":
        """A batch of a single file."""
        return replace(self, chunk_files=1, batch_chunks=1)


def cut_batch(waiting: Iterable[LandedFile], limits: Limits) -> list[list[LandedFile]]:
    """The chunks of the next batch: the first of `waiting`, in their order, as many as fit."""
    chunks: list[list[LandedFile]] = []
    room = 0
    taken: set[str] = set()
    for file in waiting:
        # A contract that moved an object in source order leaves it pending in both places.
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
    """How many bytes of text a file holds, about."""
    return file.size * _GROWS.get(PurePosixPath(file.key).suffix, 1)
