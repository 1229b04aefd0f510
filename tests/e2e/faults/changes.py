"""What lands in the tests of faults, and plain Python's account of what must come of it."""

from dataclasses import dataclass, field

from tests.e2e.customers import Row, model

SNAPSHOT = "LOAD00000001.csv"
NEWER = "20250101-000000000.csv"
KEPT, BEATEN, DELETED = 1, 2, 3  # keys
SPARE = range(2_000, 2_100)  # keys that are there to be deleted
COUNTS = ("rows_staged", "rows_inserted", "rows_updated", "rows_deleted", "rows_stale")
_REST = "L,F,1,A,,C,,1,X,"


@dataclass
class Landed:
    """The files of one table, and the batches that they are loaded in."""

    files: dict[str, bytes] = field(default_factory=dict)
    batches: list[dict[str, int]] = field(default_factory=list)
    late: int = 0

    def add_snapshot(self) -> dict[str, bytes]:
        """What a table begins with; gives the file."""
        keys = (KEPT, BEATEN, DELETED, *SPARE)
        lines = [f"{key},Name,{_REST},0.00\n" for key in keys]
        return self._add(SNAPSHOT, lines, (len(keys), len(keys), 0, 0, 0))

    def add_newer(self) -> dict[str, bytes]:
        """Changes that move the watermark far."""
        lines = [f"U,{BEATEN},Newer,{_REST},0.00\n", _delete(DELETED)]
        return self._add(NEWER, lines, (2, 0, 1, 1, 0))

    def add_late(self) -> dict[str, bytes]:
        """Changes below it: an insert, an update, a delete, and two that come too late."""
        self.late += 1
        lines = [
            f"I,{1_000 + self.late},Name {self.late},{_REST},{self.late}.00\n",
            f"U,{KEPT},Name {self.late},{_REST},{self.late}.00\n",
            _delete(SPARE[self.late]),
            f"U,{BEATEN},too late,{_REST},0.00\n",
            f"U,{DELETED},too late,{_REST},0.00\n",
        ]
        return self._add(f"20240601-{self.late:09d}.csv", lines, (5, 1, 1, 1, 2))

    def refresh(self) -> None:
        """The snapshot once more, and on top of it the changes, which all landed after it."""
        rows = len(self.rows())
        staged = rows + len(self.tombstones())
        self.batches.append(dict(zip(COUNTS, (staged, rows, 0, rows, 0), strict=True)))

    def replay(self) -> None:
        """All of it once more, of which nothing is new."""
        staged = len(self.rows()) + len(self.tombstones())
        self.batches.append(dict(zip(COUNTS, (staged, 0, 0, 0, staged), strict=True)))

    def rows(self) -> dict[int, Row]:
        """What the target must hold."""
        return model(*self._in_source_order())

    def tombstones(self) -> list[int]:
        """The keys that were deleted; none of them comes back here."""
        lines = b"".join(self._in_source_order()).decode().splitlines()
        return sorted(int(line.split(",")[1]) for line in lines if line.startswith("D,"))

    def _add(self, name: str, lines: list[str], counts: tuple[int, ...]) -> dict[str, bytes]:
        new = {name: "".join(lines).encode()}
        self.files |= new
        self.batches.append(dict(zip(COUNTS, counts, strict=True)))
        return new

    def _in_source_order(self) -> list[bytes]:
        names = sorted(self.files, key=lambda name: (name != SNAPSHOT, name))
        return [self.files[name] for name in names]


def _delete(key: int) -> str:
    return f"D,{key},,,,,,,,,,,,\n"
