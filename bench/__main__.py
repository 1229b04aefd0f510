"""`make bench`: the floor and Tidegate at the same job, in turns, in one run."""

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import reduce
from pathlib import Path

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
from bench.pipeline import TABLES, Pipeline
from bench.stack import local_stack, peak_memory
from bench.worker import Worker

ROWS = 1_000_000
LARGE, SMALL = 200_000, 1_000
RUNS = 5

console = Console(highlight=False)


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
        _say("loading the table on both sides")
        floor = Worker(Floor, snapshot)
        tidegate = Worker(Pipeline)
        tidegate.call("land", [snapshot, *files])
        tidegate.call("load", snapshot)
        tidegate.call("keep_base")
        _say(f"{RUNS + 1} times {LARGE:,} changes, in turns")
        results = [_compare("large batch", floor, tidegate, [files[0]] * (RUNS + 1), reset=True)]
        _say(f"{RUNS + 1} times {SMALL:,} changes, in turns")
        results.append(_compare("small batch", floor, tidegate, files[1:], reset=False))
        _check(floor, tidegate, reduce(apply_in_order, batches, rows))
        memory = {
            "floor": floor.end(),
            "prepare and job": tidegate.end(),
            "stack": peak_memory(stack.describe()["pid"]),
        }
        _say("landing small files on the idle stack")
        latencies = measure_latencies(RUNS)
    _report(results, memory, latencies)


def _make_batches() -> list[list[Change]]:
    """The large one, and after it the small ones."""
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


def _compare(
    name: str, floor: Worker, tidegate: Worker, files: list[Path], *, reset: bool
) -> tuple[str, float, float]:
    seconds: dict[str, list[float]] = {"floor": [], "tidegate": []}
    for file in files:
        for side, worker, method in (("floor", floor, "run"), ("tidegate", tidegate, "load")):
            if reset:
                worker.call("reset")
            seconds[side].append(worker.call(method, file))
    # The first of each warms caches and does not count.
    medians = {side: statistics.median(times[1:]) for side, times in seconds.items()}
    return name, medians["floor"], medians["tidegate"]


def _check(floor: Worker, tidegate: Worker, expected: dict[object, Row]) -> None:
    _say("comparing every row with the oracle")
    wanted = [expected[key] for key in sorted(expected)]  # type: ignore[type-var]
    for side, worker in (("the floor", floor), ("Tidegate", tidegate)):
        if worker.call("rows") != wanted:
            raise SystemExit(f"{side} does not end in the rows of the oracle")


def _report(
    results: list[tuple[str, float, float]], memory: dict[str, int], latencies: list[float]
) -> None:
    shown = Table(title=f"Medians of {RUNS}; the table has {ROWS:,} rows", title_justify="left")
    for heading in ("", "raw DuckDB", "Tidegate", "ratio"):
        shown.add_column(heading, justify="right" if heading else "left")
    for name, floor, tidegate in results:
        shown.add_row(name, f"{floor:.3f} s", f"{tidegate:.3f} s", f"{tidegate / floor:.2f}")
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
