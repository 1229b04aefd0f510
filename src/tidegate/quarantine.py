"""Lists the quarantine: each file or row that Tidegate could not load, and why."""

import json
from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from tidegate.batch.plan import BatchFolder
from tidegate.ledger import FileHistory, FileLedger, LedgerTable, StateLedger
from tidegate.storage.listing import list_landed
from tidegate.storage.work_bucket import WorkBucket

_UNCLAIMED = "no contract claims it"
_FORGOTTEN = "of its rows were refused; the rows and their reasons are no longer kept"
_PIECE = 1 << 20  # bytes


class Refusal(BaseModel):
    """One refused file, or one refused `record` of it. For an unrouted object `table` is None."""

    table: str | None
    file: str
    record: int | None = None
    reason: str


class Quarantine:
    """Reads refused files from the ledger, and refused rows with reasons from the work bucket."""

    def __init__(self, ledger: LedgerTable, work: WorkBucket) -> None:
        self._history = FileHistory(ledger)
        self._files = FileLedger(ledger)
        self._states = StateLedger(ledger)
        self._work = work

    def refusals(self, table: str) -> Iterator[Refusal]:
        """Yield a table's refused files, then refused rows of other files, newest batch first."""
        batches: dict[int, dict[str, int]] = {}
        for file in self._history.refused(table):
            if file.reason:
                yield Refusal(table=table, file=file.key, reason=file.reason)
            else:
                batches.setdefault(file.batch, {})[file.key] = file.refused
        for batch in sorted(batches, reverse=True):
            yield from self._rows(table, batch, batches[batch])

    def unrouted(self) -> Iterator[Refusal]:
        """Yield the objects that no contract claims."""
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
                    reason = f"a line of {self._work.url(found.key)} cannot be read"
                    yield Refusal(table=table, file="?", reason=reason)
                # Another batch may have loaded the file again since.
                elif row.file in files:
                    unseen.pop(row.file, None)
                    yield row.model_copy(update={"table": table})
        for key, count in unseen.items():
            yield Refusal(table=table, file=key, reason=f"{count} {_FORGOTTEN}")


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        # splitlines would also split at carriage returns, which JSON from elsewhere may hold.
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        yield rest


def _read(line: bytes) -> Refusal | None:
    """Read a refused row without its content, which may be nested too deeply for Python."""
    # Inside a JSON text every quote has a backslash before it, so this match is the real key.
    envelope, key, _ = line.partition(b',"operation":')
    try:
        row = json.loads(envelope + b"}" if key else envelope)
        return Refusal(table=None, **{name: row[name] for name in ("file", "record", "reason")})
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
