"""The files that land in fault tests, and a plain Python model of the expected target."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

from tests.e2e.customers import Row, contract_text, model

SNAPSHOT = "LOAD00000001.csv"
SMALL = "small/LOAD00000001.csv"
NEWER = "20250101-000000000.csv"
KEPT, BEATEN, DELETED = 1, 2, 3  # keys
MOST_DELETES = 5  # rows that a batch may delete without approval
COUNTS = ("rows_staged", "rows_inserted", "rows_updated", "rows_deleted", "rows_stale")
_SPARE = range(2_000, 2_250)  # keys for deletes
_REST = "L,F,1,A,,C,,1,X,"


@dataclass
class Landed(ABC):
    """The files of one table, the batches that load them, and the expected target."""

    key: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]

    files: dict[str, bytes] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    refused: int = 0
    batches: list[dict[str, int]] = field(default_factory=list)

    @staticmethod
    @abstractmethod
    def contract(table: str, prefix: str) -> str:
        """Return the contract of a table for such files."""

    @abstractmethod
    def rows(self) -> dict[int, Row]:
        """Return the expected rows of the target, by key."""

    @abstractmethod
    def tombstones(self) -> list[int]:
        """Return the deleted keys; no test inserts them again."""

    def add(self, name: str, lines: list[str], *counts: int) -> dict[str, bytes]:
        """Add a file and the expected counts of its batch; return the file."""
        new = {name: "".join(lines).encode()}
        self.files |= new
        self.batches.append(dict(zip(COUNTS, counts, strict=True)))
        return new


@dataclass
class Customers(Landed):
    """Changes to the table that the demo loads."""

    key = "customer_number"
    columns = tuple(column["name"] for column in yaml.safe_load(contract_text("", ""))["columns"])

    late: int = 0
    spare: Iterator[int] = field(default_factory=lambda: iter(_SPARE))

    @staticmethod
    def contract(table: str, prefix: str) -> str:
        guards = f"max_deletes: {MOST_DELETES}\n"
        return contract_text(table, prefix) + guards

    def add_snapshot(self) -> dict[str, bytes]:
        """Add the first snapshot."""
        keys = (KEPT, BEATEN, DELETED, *_SPARE)
        lines = [f"{key},Name,{_REST},0.00\n" for key in keys]
        return self.add(SNAPSHOT, lines, len(keys), len(keys), 0, 0, 0)

    def add_small_snapshot(self) -> dict[str, bytes]:
        """Add a snapshot that is too small to be the whole table."""
        return self.add(SMALL, [f"{KEPT},Name,{_REST},0.00\n"], 1, 0, 1, 0, 0)

    def add_newer(self) -> dict[str, bytes]:
        """Add changes that move the watermark far."""
        lines = [f"U,{BEATEN},Newer,{_REST},0.00\n", _delete(DELETED)]
        return self.add(NEWER, lines, 2, 0, 1, 1, 0)

    def add_late(self) -> dict[str, bytes]:
        """Add late changes below the watermark: an insert, an update, a delete, two stale ones."""
        self.late += 1
        lines = [
            f"I,{1_000 + self.late},Name {self.late},{_REST},{self.late}.00\n",
            f"U,{KEPT},Name {self.late},{_REST},{self.late}.00\n",
            _delete(next(self.spare)),
            f"U,{BEATEN},too late,{_REST},0.00\n",
            f"U,{DELETED},too late,{_REST},0.00\n",
        ]
        return self.add(self._next_name(), lines, 5, 1, 1, 1, 2)

    def add_mass_delete(self) -> dict[str, bytes]:
        """Add deletes of more rows than a batch may delete."""
        self.late += 1
        lines = [_delete(next(self.spare)) for _ in range(MOST_DELETES + 1)]
        return self.add(self._next_name(), lines, len(lines), 0, 0, len(lines), 0)

    def add_unreadable(self) -> dict[str, bytes]:
        """Add a file whose second half is missing."""
        self.late += 1
        new = self.add(self._next_name(), ['U,1,"Na'], 0, 0, 0, 0, 0)
        self.unreadable |= new.keys()
        return new

    def refresh(self) -> None:
        """Expect a full refresh: the snapshot again, then all changes that landed after it."""
        rows = len(self.rows())
        staged = rows + len(self.tombstones())
        self.batches.append(dict(zip(COUNTS, (staged, rows, 0, rows, 0), strict=True)))

    def replay(self) -> None:
        """Expect a replay of all files, which changes nothing."""
        staged = len(self.rows()) + len(self.tombstones())
        self.batches.append(dict(zip(COUNTS, (staged, 0, 0, 0, staged), strict=True)))

    def rows(self) -> dict[int, Row]:
        return model(*self._in_source_order())

    def tombstones(self) -> list[int]:
        lines = b"".join(self._in_source_order()).decode().splitlines()
        return sorted(int(line.split(",")[1]) for line in lines if line.startswith("D,"))

    def _next_name(self) -> str:
        return f"20240601-{self.late:09d}.csv"

    def _in_source_order(self) -> list[bytes]:
        names = sorted(self.files, key=lambda name: (name not in (SNAPSHOT, SMALL), name))
        return [self.files[name] for name in names if name not in self.unreadable]


def _delete(key: int) -> str:
    return f"D,{key},,,,,,,,,,,,\n"


@dataclass
class People(Landed):
    """Files with column names that bring more columns than the contract has.

    If a person created the table, Redshift may refuse to widen a column.
    """

    key = "id"
    columns = ("id", "name", "colour")

    is_fixed: bool = False

    @staticmethod
    def contract(table: str, prefix: str) -> str:
        written: dict[str, Any] = {
            "table": table,
            "source": {"prefix": prefix, "format": "dms_csv", "options": {"header": True}},
            "key": ["id"],
            "columns": [
                {"name": "id", "type": "integer"},
                {"name": "name", "type": "varchar(8)"},
            ],
            "evolve": "add",
        }
        return yaml.safe_dump(written, sort_keys=False)

    def add_first(self) -> dict[str, bytes]:
        """Add a file that matches the contract."""
        return self.add(SNAPSHOT, ["Op,id,name\n", "I,1,Ann\n", "I,2,Bob\n"], 2, 2, 0, 0, 0)

    def add_drift(self) -> dict[str, bytes]:
        """Add a file with a new column, a text that is too long, and a row without a key."""
        lines = ["Op,id,name,colour\n", "I,3,Annabella Lee,blue\n", "I,4,Cid,red\n", "I,,Dan,\n"]
        loaded = 1 if self.is_fixed else 2
        self.refused += 3 - loaded
        return self.add(NEWER, lines, loaded, loaded, 0, 0, 0)

    def rows(self) -> dict[int, Row]:
        first = {1: (1, "Ann", None), 2: (2, "Bob", None)} if SNAPSHOT in self.files else {}
        long = {} if self.is_fixed else {3: (3, "Annabella Lee", "blue")}
        return {**first, **long, 4: (4, "Cid", "red")}

    def tombstones(self) -> list[int]:
        return []
