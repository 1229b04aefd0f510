"""`make bench`: runs raw DuckDB (the floor), dlt and Tidegate at the same job, in turns."""

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from bench.floor import Floor
from bench.job import (
    Change,
    Row,
    apply_in_order,
    make_changes,
    make_rows,
    write_changes,
    write_snapshot,
)
from bench.latency import measure_latencies
from bench.peer import Dlt
from bench.pipeline import TABLES, Pipeline
from bench.stack import local_stack, peak_memory
from bench.worker import Worker

ROWS = 1_000_000
LARGE, SMALL = 200_000, 1_000
RUNS = 5

console = Console(highlight=False)


class Side(Protocol):
    """A competitor in its own process."""

    def call(self, method: str, *arguments: object) -> Any:  # noqa: ANN401  (what the method gives)
        """Call a method: all have `load`, `reset` and `rows`; each has some of its own."""

    def end(self) -> int:
        """End the process; return its peak memory in bytes."""


def main() -> None:
    """Measure, compare every row with the oracle, and print one table."""
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as folder:
        _measure(Path(folder))


def _measure(folder: Path) -> None:
    _say(f"making {ROWS:,} rows and their changes")
    rows = make_rows(ROWS)
    batches = _make_batches()
    snapshot = folder / "LOAD00000001.csv"
    write_snapshot(snapshot, rows.values())
    files = _write_files(folder, batches)
    with local_stack(TABLES) as stack:
        _say("loading the table on all sides")
        sides: dict[str, Side] = {
            "raw DuckDB": Worker(Floor, snapshot),
            "dlt": Dlt(folder / "dlt"),
            "Tidegate": Worker(Pipeline),
        }
        sides["dlt"].call("begin", snapshot)
        sides["Tidegate"].call("land", [snapshot, *files])
        sides["Tidegate"].call("load", snapshot)
        sides["Tidegate"].call("keep_base")
        _say(f"{RUNS + 1} times {LARGE:,} changes, in turns")
        results = {"large batch": _compare(sides, [files[0]] * (RUNS + 1), reset=True)}
        _say(f"{RUNS + 1} times {SMALL:,} changes, in turns")
        results["small batch"] = _compare(sides, files[1:], reset=False)
        _check(sides, reduce(apply_in_order, batches, rows))
        memory = {
            **{name: side.end() for name, side in sides.items()},
            "stack": peak_memory(stack.describe()["pid"]),
        }
        _say("landing small files on the idle stack")
        latencies = measure_latencies(RUNS)
    _report(results, memory, latencies)


def _make_batches() -> list[list[Change]]:
    """The large batch, then the small ones."""
    batches = [make_changes(LARGE, ROWS, first_sequence=1)]
    for number in range(1, RUNS + 2):
        sequence = LARGE * 2 + number * SMALL
        batches.append(make_changes(SMALL, ROWS, first_sequence=sequence, seed=100 + number))
    return batches


def _write_files(folder: Path, batches: list[list[Change]]) -> list[Path]:
    files = []
    for number, changes in enumerate(batches):
        files.append(folder / f"20260101-{number:09d}.csv")
        write_changes(files[-1], changes)
    return files


def _compare(sides: dict[str, Side], files: list[Path], *, reset: bool) -> dict[str, float]:
    """Let each side load each file in turn; return the median seconds of each side."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for file in files:
        for name, side in sides.items():
            if reset:
                side.call("reset")
            seconds[name].append(side.call("load", file))
    # The first run of each side warms caches and does not count.
    return {name: statistics.median(times[1:]) for name, times in seconds.items()}


def _check(sides: dict[str, Side], expected: dict[object, Row]) -> None:
    _say("comparing every row with the oracle")
    wanted = [expected[key] for key in sorted(expected)]  # type: ignore[type-var]
    for name, side in sides.items():
        if side.call("rows") != wanted:
            raise SystemExit(f"the rows of {name} differ from those of the oracle")


def _report(
    results: dict[str, dict[str, float]], memory: dict[str, int], latencies: list[float]
) -> None:
    shown = Table(title=f"Medians of {RUNS}; the table has {ROWS:,} rows", title_justify="left")
    shown.add_column("")
    for heading in (*next(iter(results.values())), "to DuckDB", "to dlt"):
        shown.add_column(heading, justify="right")
    for name, medians in results.items():
        floor, peer, tidegate = medians.values()
        times = [f"{seconds:.3f} s" for seconds in medians.values()]
        shown.add_row(name, *times, f"{tidegate / floor:.2f}", f"{tidegate / peer:.2f}")
    console.print(shown)
    peaks = ", ".join(f"{name} {peak / 2**20:.0f} MB" for name, peak in memory.items())
    console.print(f"Peak memory: {peaks}")
    median = statistics.median(latencies)
    console.print(
        f"Landing to visible: {median:.2f} s ({min(latencies):.2f} to {max(latencies):.2f})"
    )


def _say(what: str, clock: Callable[[], float] = time.monotonic) -> None:
    console.print(f"[dim]{clock() - _STARTED:6.1f} s[/dim]  {what}")


_STARTED = time.monotonic()

if __name__ == "__main__":
    main()
