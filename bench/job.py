"""The job: a table of a million rows, a batch of changes, and the expected rows."""

import csv
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

Row = tuple[object, ...]  # id, name, email, amount, quantity, rate, active, born, updated_at, note
NULL = "\\N"
_DAY_ONE = datetime(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class Change:
    """One change: its operation, its sequence in the source, and the row after it."""

    operation: str
    sequence: int
    row: Row

    @property
    def key(self) -> object:
        """The key of the row."""
        return self.row[0]


def make_row(key: int, number: int, rng: random.Random) -> Row:
    """A row of ten mixed columns; some have nulls, quotes and line ends."""
    note = f'said "{number}"\nand left' if number % 50 == 0 else f"note {number}"
    return (
        key,
        f"Name {key} {number}",
        None if number % 17 == 0 else f"user{key}@example.com",
        Decimal(rng.randrange(10_000_000)) / 100,
        rng.randrange(1_000),
        rng.randrange(1_000_000) / 1024,
        number % 3 == 0,
        date(1950, 1, 1) + timedelta(days=rng.randrange(20_000)),
        _DAY_ONE + timedelta(microseconds=rng.randrange(10**14)),
        None if number % 23 == 0 else note,
    )


def make_rows(count: int, seed: int = 1) -> dict[object, Row]:
    """The table before the batch, by key 1 to `count`."""
    rng = random.Random(seed)
    return {key: make_row(key, key, rng) for key in range(1, count + 1)}


def make_changes(size: int, rows: int, first_sequence: int, seed: int = 2) -> list[Change]:
    """`size` changes to a table of `rows` rows: 60 % updates, 30 % inserts, 10 % deletes.

    15 % of the deleted keys are inserted again later. The list is shuffled.
    """
    rng = random.Random(seed)
    updates, deletes = size * 6 // 10, size // 10
    again = deletes * 15 // 100
    new = size - updates - deletes - again
    existing = rng.sample(range(1, rows + 1), min(updates * 5 // 6, rows // 2) + deletes)
    doomed, changed = existing[:deletes], existing[deletes:]
    first: list[tuple[str, int]] = [("D", key) for key in doomed]
    first += [("U", key) for key in changed]
    first += [("U", rng.choice(changed)) for _ in range(updates - len(changed))]
    first += [("I", rows + number) for number in range(1 + seed * size, 1 + seed * size + new)]
    rng.shuffle(first)
    ordered = first + [("I", key) for key in doomed[:again]]
    changes = [
        Change(operation, first_sequence + number, make_row(key, number, rng))
        for number, (operation, key) in enumerate(ordered)
    ]
    rng.shuffle(changes)
    return changes


def apply_in_order(rows: dict[object, Row], changes: Iterable[Change]) -> dict[object, Row]:
    """The oracle: `rows` after all changes, applied one by one in order."""
    after = dict(rows)
    for change in sorted(changes, key=lambda change: change.sequence):
        if change.operation == "D":
            after.pop(change.key, None)
        else:
            after[change.key] = change.row
    return after


def write_snapshot(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as DMS writes a full load: without operation and sequence."""
    _write(path, (["", *map(_text, row)] for row in rows))


def write_changes(path: Path, changes: Iterable[Change]) -> None:
    """Write changes as DMS writes them, with its 35-digit change sequence."""
    _write(path, ([c.operation, f"{c.sequence:035d}", *map(_text, c.row)] for c in changes))


def _write(path: Path, records: Iterator[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(records)


def _text(value: object) -> str:
    if value is None:
        return NULL
    return str(value).lower() if isinstance(value, bool) else str(value)
