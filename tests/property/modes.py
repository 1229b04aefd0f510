"""Generates histories and their DMS files for every write mode; models the expected target.

The models know the rules, not the code. Each gets all landed changes in the order of the source and
returns the expected target. How often, in which order and in which batches the changes land must
not matter.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

import duckdb

from tidegate.contract import Contract

Mode = Literal["upsert", "soft_delete", "history", "append", "replace", "partial"]
Format = Literal["dms_csv", "parquet", "jsonl"]
Row = tuple[Any, ...]
FIELDS = ["seq", "at", "BI_id", "id", "name", "amount"]
ABSENT = "?"  # what stands in a field that the source did not log
NULL = "NULL"
MOVING = {"upsert", "soft_delete", "history", "partial"}  # modes in which a row's key may change
_DAY_ONE = datetime(2024, 8, 9)
_ALWAYS = datetime(1900, 1, 1)


FileId = tuple[str, int]


class Change(NamedTuple):
    """One line of a file: `old` is the key before an update, `at` a number of days."""

    operation: str
    seq: int
    at: int
    old: int | None
    id: int | None
    name: str | None
    amount: int | str | None


@dataclass(frozen=True)
class File:
    """One file as its source writes it, with the columns that it names.

    If the source writes the name again, that is a later `version` of the file.
    """

    name: str
    changes: tuple[Change, ...]
    fields: tuple[str, ...] = tuple(FIELDS)
    version: int = 0

    @property
    def id(self) -> FileId:
        """The identity of the file; in mode `replace` the file with the greatest one counts."""
        return (self.name, self.version)

    @property
    def snapshot(self) -> bool:
        return "LOAD" in self.name

    def is_version_of(self, other: "File") -> bool:
        """Return whether this is `other` or a later version of it."""
        return self.name == other.name and self.version >= other.version

    def content(self, written_as: Format = "dms_csv") -> bytes:
        records = [self._record(change) for change in self.changes]
        if written_as == "parquet":
            return as_parquet(_TYPES, records)
        if written_as == "jsonl":
            carried = [
                {name: value for name, value in record.items() if value != ABSENT}
                for record in records
            ]
            return "".join(json.dumps(record) + "\n" for record in carried).encode()
        lines = [["Op", *self.fields], *(map(_text, record.values()) for record in records)]
        return "".join(",".join(line) + "\n" for line in lines).encode()

    def _record(self, change: Change) -> dict[str, Any]:
        held = change._asdict() | {"seq": sequence(change.seq), "at": _text_of_day(change.at)}
        held["BI_id"] = change.old
        return {"Op": change.operation} | {name: held[name] for name in self.fields}


class Event(NamedTuple):
    """A readable change, its position and the columns that it carries."""

    position: tuple[Any, ...]
    change: Change
    carried: frozenset[str]


def contract_of(
    mode: Mode, table: str, tracked: list[str] | None = None, written_as: Format = "dms_csv"
) -> Contract:
    """Return the contract of a table in `mode`; `partial` is an upsert of partial rows."""
    is_csv = written_as == "dms_csv"
    source = {
        "prefix": f"dms/{table}/",
        "format": written_as,
        "options": {"header": True, "null": NULL} if is_csv else {},
    }
    more: dict[str, Any] = {"write": mode, "key": ["id"]}
    if mode != "replace":
        source["operations"] = {"I": "insert", "U": "update", "D": "delete", "T": "truncate"}
    if mode in MOVING:
        source["before_image"] = "BI_"
    if mode == "history":
        more |= {"changed_at": "at", "track": tracked} if tracked else {"changed_at": "at"}
    if mode == "append":
        del more["key"]
    if mode == "partial":
        more |= {"write": "upsert", "partial": True}
        source["options"] |= {"unsupplied": ABSENT} if is_csv else {}  # type: ignore[operator]
    if mode != "replace":
        more["sequence"] = ["seq"]
    columns = [
        {"name": "id", "type": "integer"},
        {"name": "name", "type": "varchar(20)"},
        {"name": "amount", "type": "integer"},
    ]
    return Contract.model_validate({"table": table, "source": source, "columns": columns, **more})


@dataclass
class Landed:
    """All files that have landed, and the expected target in each mode.

    A full refresh opens an epoch: its snapshot is later than all files of earlier epochs. Keys that
    are in neither the snapshot nor the changes beside it are deleted. The snapshot contains the
    changes up to its epoch's `as_of` (0 by default), so these do not count again.
    """

    mode: Mode
    tracked: list[str] | None = None
    epochs: list[dict[FileId, File]] = field(default_factory=lambda: [{}])
    gone: list[list[Event]] = field(default_factory=lambda: [[]])
    as_of: list[int] = field(default_factory=lambda: [0])

    @property
    def taken_at(self) -> int:
        """The day of the snapshot of the last full refresh; nought before the first one."""
        return _day_of_snapshot(len(self.epochs) - 1)

    def copy(self) -> "Landed":
        """The same, for what is added from now on not to be in it."""
        epochs = [dict(files) for files in self.epochs]
        return Landed(self.mode, self.tracked, epochs, list(self.gone), list(self.as_of))

    def add(self, file: File) -> None:
        self.epochs[-1][file.id] = file

    def refresh(self, files: list[File], as_of: int) -> None:
        found = [event for file in files for event in self._events_of(file, as_of)]
        emptied_at = self.emptied_at()
        living = [event for event in self.events() if event.position > emptied_at]
        self.gone.append(_missing(len(self.epochs), living, found))
        self.epochs.append({file.id: file for file in files})
        self.as_of.append(as_of)

    def rows(self) -> list[Row]:
        """What the target must hold, sorted as text."""
        made: dict[Mode, Callable[[], list[Row]]] = {
            "upsert": self._upserted,
            "soft_delete": self._soft_deleted,
            "history": self._versions,
            "append": self._appended,
            "replace": self._replaced,
            "partial": self._put_together,
        }
        return sorted(made[self.mode](), key=repr)

    def events(self) -> list[Event]:
        """What can be read, in the order of the source."""
        events: list[Event] = []
        epochs = zip(self.epochs, self.gone, self.as_of, strict=True)
        for epoch, (files, gone, as_of) in enumerate(epochs):
            events = events + gone if self.mode in {"soft_delete", "history"} else []
            found = [event for file in files.values() for event in self._events_of(file, as_of)]
            events += [event._replace(position=(epoch, *event.position)) for event in found]
        if self.mode == "append":
            events = list({event.position: event for event in events}.values())
        return sorted(events, key=lambda event: event.position)

    def _position(self, file: File, line: int, change: Change) -> tuple[Any, ...]:
        if self.mode == "replace":
            return (False, *file.id, line)
        if self.mode == "append":
            # What a file says is known by what it says, not by when it was written.
            return (not file.snapshot, change.seq, file.name, line, repr(change))
        order = (file.version, file.name) if file.snapshot else file.id
        return (not file.snapshot, change.seq, *order, line)

    def _events_of(self, file: File, as_of: int) -> Iterator[Event]:
        """The changes of a file; one that moves a key is a delete and an update."""
        for line, change in enumerate(file.changes):
            known = not file.snapshot and change.seq <= as_of
            if known or not self._is_good(change, file):
                continue
            position = self._position(file, line, change)
            carried = _carried(change, file)
            if self.mode in MOVING and _moves(change, file):
                old = change._replace(operation="D", id=change.old)
                yield Event(position, old, frozenset())
            yield Event(position, change, carried)

    def _is_good(self, change: Change, file: File) -> bool:
        if change.operation == "T":
            return self.mode != "replace"
        asked = "amount" in file.fields and (change.operation in "IU" or self.mode == "append")
        if change.operation not in "IUD" or (change.amount == "x" and asked):
            return False
        # What is not carried of a row stays with its old key.
        if self.mode == "partial" and _moves(change, file):
            return change.id is not None and {"name", "amount"} <= _carried(change, file)
        return change.id is not None or self.mode == "append"

    def by_key(self) -> dict[Any, list[Event]]:
        by_key: dict[Any, list[Event]] = {}
        for event in self.events():
            if event.change.operation != "T":
                by_key.setdefault(event.change.id, []).append(event)
            elif self.mode in {"history", "partial"}:
                # It is the end of all that was there before, and stands among the changes of each.
                for key, events in by_key.items():
                    delete = event.change._replace(operation="D", id=key)
                    events.append(event._replace(change=delete, carried=frozenset()))
        return by_key

    def emptied_at(self) -> tuple[Any, ...]:
        emptied = [event.position for event in self.events() if event.change.operation == "T"]
        return max(emptied, default=())

    def _last_ones(self) -> list[Change]:
        """The last change of each key, but for keys that a truncate has emptied since."""
        newest = [events[-1] for events in self.by_key().values()]
        emptied_at = self.emptied_at()
        return [event.change for event in newest if event.position > emptied_at]

    def _upserted(self) -> list[Row]:
        return [_row(change) for change in self._last_ones() if change.operation != "D"]

    def buried(self) -> list[Row]:
        """The keys that tombstones must stand for: late changes of them are stale."""
        if self.mode == "upsert":
            return sorted((change.id,) for change in self._last_ones() if change.operation == "D")
        # A row that is only marked has its values from one change, and its mark from another.
        by_key = self.by_key().items()
        return sorted((key,) for key, events in by_key if any(map(_is_delete, events)))

    def _soft_deleted(self) -> list[Row]:
        rows = []
        for events in self.by_key().values():
            living = [event for event in events if event.change.operation != "D"]
            if living:
                emptied = living[-1].position < self.emptied_at()
                deleted = events[-1].change.operation == "D" or emptied
                rows.append((*_row(living[-1].change), deleted))
        return rows

    def _appended(self) -> list[Row]:
        return [(*_row(event.change), event.change.operation) for event in self.events()]

    def _replaced(self) -> list[Row]:
        # A snapshot of which nothing can be read does not empty the table.
        newest = max((event.position[2:4] for event in self.events()), default=None)
        alone = {newest: self.epochs[-1][newest]} if newest else {}
        return Landed("replace", epochs=[alone])._upserted()

    def _put_together(self) -> list[Row]:
        rows = []
        for key, events in self.by_key().items():
            row: dict[str, Any] = {}
            for event in events:
                if event.change.operation == "D":
                    row = {}
                    continue
                row |= {name: _value(event.change, name) for name in event.carried}
            if row:
                rows.append((key, row.get("name"), row.get("amount")))
        return rows

    def _versions(self) -> list[Row]:
        return [row for events in self.by_key().values() for row in self.versions(events)]

    def versions(self, events: list[Event]) -> list[Row]:
        """What a history holds of a key."""
        tracked = self.tracked or ["name", "amount"]
        versions: list[dict[str, Any]] = []
        now = _ALWAYS
        for number, event in enumerate(events):
            if _is_outlived(event, events[:number], events[number + 1 :]):
                continue
            now = max(now, _DAY_ONE + timedelta(days=event.change.at))
            open_ = versions[-1] if versions and versions[-1]["to"] is None else None
            if event.change.operation == "D":
                if open_:
                    open_["to"] = now
                continue
            seen = {name: _value(event.change, name) for name in tracked}
            if open_ and open_["seen"] == seen:
                open_["row"] = _row(event.change)
                continue
            if open_:
                open_["to"] = now
            versions.append({"from": now, "to": None, "seen": seen, "row": _row(event.change)})
        # What ends when it begins was never to be seen.
        return [
            (*v["row"], v["from"], v["to"], v["to"] is None)
            for v in versions
            if v["from"] != v["to"]
        ]


def _missing(epoch: int, known: list[Event], found: list[Event]) -> list[Event]:
    """Return a delete for each key that had a row and is missing from an epoch."""
    newest, new = (
        {event.change.id: event.change for event in events if event.change.operation != "T"}
        for events in (known, found)
    )
    gone = {key for key, change in newest.items() if change.operation != "D"} - new.keys()
    taken_at = _day_of_snapshot(epoch)
    deletes = [Change("D", 0, taken_at, None, key, None, None) for key in gone]
    return [Event((epoch,), delete, frozenset()) for delete in deletes]


def _day_of_snapshot(epoch: int) -> int:
    """Return a day after all earlier changes and after the snapshots of earlier epochs."""
    return epoch + 5 if epoch else 0


def _is_outlived(event: Event, earlier: list[Event], later: list[Event]) -> bool:
    """Whether it is of a snapshot that says nothing of the time before the changes behind it."""
    told = max((one.change.at for one in earlier if _is_of(False, one)), default=-1)
    changed = min((one.change.at for one in later if _is_of(True, one)), default=None)
    if not _is_of(False, event) or changed is None:
        return False
    return event.change.at > changed or event.change.at <= told


def _is_of(kind: bool, event: Event) -> bool:
    return event.position[1:2] == (kind,)


def _moves(change: Change, file: File) -> bool:
    moves = change.operation == "U" and change.old not in {None, change.id}
    return moves and "BI_id" in file.fields


def _carried(change: Change, file: File) -> frozenset[str]:
    return frozenset(name for name in file.fields if _value(change, name) != ABSENT)


def _is_delete(event: Event) -> bool:
    return event.change.operation == "D"


def _value(change: Change, name: str) -> Any:
    return getattr(change, name, None)


def _row(change: Change) -> Row:
    # A truncation needs no values, so none of them is refused.
    return (change.id, change.name, None if change.amount == "x" else change.amount)


def sequence(number: int) -> str:
    """Return the text of a sequence number in files and in `as_of`."""
    return f"{number:05d}"


def seconds_of_day(day: int) -> int:
    return int((_DAY_ONE + timedelta(days=day)).replace(tzinfo=UTC).timestamp())


_TYPES = {"Op": "varchar", "seq": "varchar", "at": "timestamp", "BI_id": "bigint"} | {
    "id": "integer",
    "name": "varchar",
    "amount": "varchar",
}


def as_parquet(types: dict[str, str], records: list[dict[str, Any]]) -> bytes:
    """Return a Parquet file with columns of DuckDB's `types` and the values of `records`."""
    columns = [[record[name] for record in records] for name in types]
    typed = ", ".join(f'unnest(?)::{type_} as "{name}"' for name, type_ in types.items())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "one.parquet")
        duckdb.execute(f"copy (select {typed}) to '{path}' (format parquet)", columns)
        return path.read_bytes()


def _text(value: object) -> str:
    """Write a CSV field, quoted if it would otherwise mean something else."""
    text = NULL if value is None else str(value)
    must = any(mark in text for mark in ',"\n') or (value == NULL)
    return '"' + text.replace('"', '""') + '"' if must else text


def _text_of_day(day: int) -> str:
    return f"{_DAY_ONE + timedelta(days=day):%Y-%m-%d %H:%M:%S}"


COLUMNS: dict[Mode, list[str]] = {
    "upsert": ["id", "name", "amount"],
    "soft_delete": ["id", "name", "amount", "_deleted_at"],
    "history": ["id", "name", "amount", "valid_from", "valid_to", "is_current"],
    "append": ["id", "name", "amount", "_op"],
    "replace": ["id", "name", "amount"],
    "partial": ["id", "name", "amount"],
}
