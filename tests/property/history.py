"""Generates histories of a source table and the DMS files that hold them; models the target.

The model knows the rules, not the code: for each key, the newest landed change wins. A change is
newer than a row of a snapshot. Between two changes the sequence decides, if the contract has one;
then the name of the file, its folder and the line.
"""

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from tests.unit.samples import contract
from tidegate.contract import Contract

Order = Literal["lines", "stamped", "numbered", "texts"]
Key = tuple[Any, ...]
COLUMNS = {"region": "varchar(9)", "number": "integer", "name": "varchar(20)", "amount": "integer"}
FIELDS = ["version", *COLUMNS]
_UNREADABLE = "x"


class Change(NamedTuple):
    """One line of a file; `amount` is the text in the file."""

    operation: str
    version: int | None
    region: str
    number: int
    name: str | None
    amount: str | None


@dataclass(frozen=True)
class Source:
    """The file format of a source, and the columns that identify and order its rows."""

    key: tuple[str, ...]
    order: Order
    header: bool
    null: str

    def contract(self, table: str) -> Contract:
        options = {"header": self.header, "null": self.null}
        columns = dict(COLUMNS)
        if self.order == "stamped":
            options["timestamp"] = "version"
        if self.order == "numbered":
            columns["version"] = "bigint"
        sequence = ["version"] if self.order in {"numbered", "texts"} else []
        return contract(
            columns,
            table=table,
            key=self.key,
            prefix=f"dms/{table}/",
            options=options,
            fields=FIELDS,
            sequence=sequence,
        )

    def version(self, version: int | None) -> str | None:
        """As DMS writes it: a column of the table, its time stamp, or $AR_H_CHANGE_SEQ."""
        if version is None or self.order in {"lines", "numbered"}:
            return None if version is None else str(version)
        if self.order == "stamped":
            return f"2024-08-09 19:27:17.{100_000 + version:06d}"
        return f"{version + 100:035d}"

    def key_of(self, change: Change) -> Key:
        # Redshift compares without trailing blanks.
        values = {"region": change.region.rstrip(" "), "number": change.number}
        return tuple(values[name] for name in self.key)

    def row_of(self, change: Change) -> Key | None:
        """What the target must hold after `change`; None if the row is gone."""
        if change.operation == "D":
            return None
        region = change.region.rstrip(" ") if "region" in self.key else change.region
        amount = int(change.amount) if change.amount else None
        return (region, change.number, change.name, amount)


@dataclass(frozen=True)
class File:
    """One file as DMS writes it; quotes only where it must, or everywhere."""

    folder: str
    name: str
    changes: tuple[Change, ...]
    operations: bool = True
    quoted: bool = False

    @property
    def snapshot(self) -> bool:
        return "LOAD" in self.name

    @property
    def path(self) -> str:
        return self.folder + self.name

    def content(self, source: Source) -> bytes:
        records = [self._record(change, source) for change in self.changes]
        if source.header:
            records.insert(0, ",".join(["Op", *FIELDS] if self.operations else FIELDS))
        content = "".join(f"{record}\n" for record in records).encode()
        return gzip.compress(content, mtime=0) if self.name.endswith(".gz") else content

    def _record(self, change: Change, source: Source) -> str:
        operation, version, *values = change
        fields = [source.version(version), *values]
        operations = [operation] if self.operations else []
        return ",".join([*operations, *(self._field(value, source.null) for value in fields)])

    def _field(self, value: object, null: str) -> str:
        if value is None:
            return null
        text = str(value)
        must = text == null or any(mark in text for mark in ',"\n\r')
        return '"' + text.replace('"', '""') + '"' if must or self.quoted else text

    def good(self, source: Source) -> Iterator[tuple[Key, Change]]:
        """The changes that can be read, with their positions."""
        for line, change in enumerate(self.changes):
            ordered = source.order != "lines"
            unordered = ordered and change.version is None and not self.snapshot
            if unordered or (change.amount == _UNREADABLE and change.operation != "D"):
                continue
            # Before all others come those of a snapshot that have no version.
            version = (change.version is not None, change.version or 0) if ordered else ()
            yield (not self.snapshot, version, self.name, self.folder, line), change


class Newest(NamedTuple):
    """The newest change of a key, and the batch that brought it."""

    position: Key
    row: Key | None
    batch: int


@dataclass
class Model:
    """The expected warehouse: the newest change of each key, and the counts of each batch."""

    source: Source
    by_key: dict[Key, Newest] = field(default_factory=dict)
    counts: dict[int, dict[str, int]] = field(default_factory=dict)

    def apply(self, batch: int, chunks: list[list[File]]) -> None:
        """Take a batch, once."""
        staged = sum(len(self._newest(batch, chunk)) for chunk in chunks)
        counts = dict.fromkeys(["inserted", "updated", "deleted", "stale", "unknown"], 0)
        for key, change in self._newest(batch, chain.from_iterable(chunks)).items():
            counts[self._settle(key, change)] += 1
        # A deleted row that was never there is no news for anybody.
        del counts["unknown"]
        self.counts[batch] = {
            f"rows_{name}": n for name, n in ({"staged": staged} | counts).items()
        }

    def held(self) -> list[tuple[Key, Key | None, int]]:
        """Key, row and batch of what is known, oldest position first."""
        newest = sorted(self.by_key.items(), key=lambda item: item[1].position)
        return [(key, row, batch) for key, (_, row, batch) in newest]

    def _newest(self, batch: int, files: Iterable[File]) -> dict[Key, Newest]:
        good = sorted((one for file in files for one in file.good(self.source)), key=itemgetter(0))
        return {
            self.source.key_of(change): Newest(position, self.source.row_of(change), batch)
            for position, change in good
        }

    def _settle(self, key: Key, change: Newest) -> str:
        before = self.by_key.get(key)
        if before and change.position <= before.position:
            return "stale"
        self.by_key[key] = change
        lived = before is not None and before.row is not None
        if change.row is None:
            return "deleted" if lived else "unknown"
        return "updated" if lived else "inserted"
