"""What could not be loaded: which file or row, and why."""

import json
from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from tidegate.batch.plan import BatchFolder
from tidegate.ledger import FileHistory, FileLedger, LedgerTable, StateLedger
from tidegate.storage.listing import list_landed
from tidegate.storage.work_bucket import WorkBucket

_UNCLAIMED = "no contract claims it"
_FORGOTTEN = "of its rows were refused; which, and why, is not kept any more"
_PIECE = 1 << 20  # bytes


class Refusal(BaseModel):
    """One file, or one `record` of it, that is not in its table; what is unrouted has no table."""

    table: str | None
    file: str
    record: int | None = None
    reason: str


class Quarantine:
    """Reads from the ledger which files and rows were refused, and from the work bucket why."""

    def __init__(self, ledger: LedgerTable, work: WorkBucket) -> None:
        self._history = FileHistory(ledger)
        self._files = FileLedger(ledger)
        self._states = StateLedger(ledger)
        self._work = work

    def refusals(self, table: str) -> Iterator[Refusal]:
        """The refused files of a table, then the refused rows of others, newest batches first."""
        batches: dict[int, dict[str, int]] = {}
        for file in self._history.refused(table):
            if file.reason:
                yield Refusal(table=table, file=file.key, reason=file.reason)
            else:
                batches.setdefault(file.batch, {})[file.key] = file.refused
        for batch in sorted(batches, reverse=True):
            yield from self._rows(table, batch, batches[batch])

    def unrouted(self) -> Iterator[Refusal]:
        """The objects that belong to no table."""
        for landed in self._files.unrouted():
            yield Refusal(table=None, file=landed.key, reason=_UNCLAIMED)

    def _rows(self, table: str, batch: int, files: dict[str, int]) -> Iterator[Refusal]:
        unseen = dict(files)
        folder = BatchFolder(table, batch, self._states.fence_of(table, batch))
        for found in list_landed(self._work.s3, self._work.name, prefix=folder.refusals):
            body = self._work.s3.get_object(Bucket=self._work.name, Key=found.key)["Body"]
            for line in _lines(body.iter_chunks(_PIECE)):
                row = _read(line)
                if row is None:
                    reason = f"a line of {self._work.url(found.key)} is not whole"
                    yield Refusal(table=table, file="?", reason=reason)
                # A file of the batch may have been loaded once more since.
                elif row.file in files:
                    unseen.pop(row.file, None)
                    yield row.model_copy(update={"table": table})
        for key, count in unseen.items():
            yield Refusal(table=table, file=key, reason=f"{count} {_FORGOTTEN}")


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        # Not by splitlines: JSON of others, as it came, may hold carriage returns.
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        yield rest


def _read(line: bytes) -> Refusal | None:
    """A refused row without what it holds, which may be nested more deeply than Python reads."""
    # No text in JSON has a quote without a backslash before it.
    told, ours, _ = line.partition(b',"operation":')
    try:
        row = json.loads(told + b"}" if ours else told)
        return Refusal(table=None, **{name: row[name] for name in ("file", "record", "reason")})
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
