"""`tidegate start`, `refresh`, `replay` and `release`: start runs by hand, and follow them."""

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from tidegate.cli.counting import counted
from tidegate.errors import InvalidInputError, RunFailedError

if TYPE_CHECKING:
    from tidegate.ledger import TableState

_LOOK_EVERY = 0.5  # seconds

Target = Annotated[str, typer.Argument(help="The table, as its contract names it: schema.table.")]


def start(
    table: Annotated[
        str | None, typer.Argument(help="The table, as its contract names it: schema.table.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Start every table that is blocked or waits for a retry.")
    ] = False,
    blocked_by: Annotated[
        str | None,
        typer.Option(metavar="ERROR", help="Start those of them whose last error is ERROR."),
    ] = None,
) -> None:
    """Load the pending files of a blocked table, after you fixed the cause."""
    if [table is not None, every, blocked_by is not None].count(True) != 1:
        raise InvalidInputError("give one table, or --all, or --blocked-by with an error")
    runs = _Runs()
    if table is not None:
        runs.run_to_end(table)
        runs.print_pending(table)
    else:
        _start_many(runs, runs.stopped(blocked_by))


def _start_many(runs: "_Runs", stopped: "dict[str, TableState]") -> None:
    """Start all tables, so that they load side by side; then print how each run ended."""
    held_back = [table for table, state in stopped.items() if state.held_back]
    started = {table: runs.start(table) for table in stopped if table not in held_back}
    for table in held_back:
        typer.echo(
            f"{table}: not started, because its deletes are held back; "
            f"if they are right, run: tidegate release {table}"
        )
    failed = 0
    for table, run in started.items():
        if failure := runs.follow(table, run):
            failed += 1
            typer.secho(f"{table}: {failure}", fg="red")
        else:
            runs.print_pending(table)
    if failed:
        raise RunFailedError(f"{failed} of {len(started)} runs failed")
    if not stopped:
        typer.echo("no such table is blocked or waits for a retry")


def refresh(
    table: Target,
    snapshot_prefix: Annotated[
        str | None, typer.Option(help="Look for the snapshot only under this prefix.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="Skip changes up to this time or sequence.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Accept the snapshot however few rows it has.")
    ] = False,
) -> None:
    """Replace the rows of a table by its newest snapshot; later changes are applied on top."""
    asked = {"snapshot_prefix": snapshot_prefix, "as_of": as_of, "force": force or None}
    given = {name: value for name, value in asked.items() if value is not None}
    runs = _Runs()
    run = runs.start(table, mode="full_refresh", **given)
    failure = runs.follow(table, run)
    done = runs.refreshes.done(table, run)
    if done:
        _print_refreshed(table, done)
    if failure:
        raise RunFailedError(failure)
    if not done:
        typer.echo(
            f"{table} has many files to load before the refresh; watch it with tidegate status"
        )


def replay(
    table: Target,
    since: Annotated[str, typer.Option("--from", help="Start of the period, inclusive.")],
    until: Annotated[str, typer.Option("--to", help="End of the period, exclusive.")],
) -> None:
    """Load the files again that landed in a period; applied changes have no further effect."""
    runs = _Runs()
    runs.run_to_end(table, mode="replay", **{"from": since, "to": until})
    runs.print_pending(table)


def release(table: Target) -> None:
    """Apply deletes that were held back, and load the files that wait behind them."""
    runs = _Runs()
    if table in runs.catalogue.tables() and not runs.states.read(table).held_back:
        raise InvalidInputError(f"no deletes of {table} are held back; see tidegate status")
    runs.run_to_end(table, force=True)
    runs.print_pending(table)


def _print_refreshed(table: str, done: Mapping[str, Any]) -> None:
    rows = [f"{done[f'rows_{name}']} rows {name}" for name in ("inserted", "updated", "deleted")]
    typer.echo(f"{table} is refreshed: {', '.join(rows)}")
    if refused := done["quarantined_rows"]:
        typer.echo(
            f"{table} lacks {counted(refused, 'row')} in quarantine; "
            f"see: tidegate quarantine {table}"
        )


class _Runs:
    """Starts runs and follows them to their ends."""

    def __init__(self) -> None:
        import boto3
        from botocore.config import Config

        from tidegate.ledger import Catalogue, FileLedger, LedgerTable, RefreshLedger, StateLedger
        from tidegate.settings import RunSettings, read_settings

        settings = read_settings(RunSettings, os.environ)
        ledger = LedgerTable(boto3.client("dynamodb"), settings.ledger_table)
        self.catalogue = Catalogue(ledger)
        self.states, self.files = StateLedger(ledger), FileLedger(ledger)
        self.refreshes = RefreshLedger(ledger)
        self._machine = settings.state_machine_arn
        # With thousands of starts, Step Functions throttles.
        patient = Config(retries={"mode": "standard", "max_attempts": 8})
        self._client = boto3.client("stepfunctions", config=patient)

    def stopped(self, error: str | None) -> "dict[str, TableState]":
        """The tables that are blocked or wait for a retry; with `error`, only because of it."""
        states, now = self.states.read_all(self.catalogue.tables()), self.states.now()
        return {
            table: state
            for table, state in states.items()
            if (state.blocked or state.retry_at)
            and not state.is_held(now)
            and (error is None or (state.last_error or "").startswith(f"{error}:"))
        }

    def run_to_end(self, table: str, **more: str | bool) -> None:
        """Start a run and wait for its end.

        Raises:
            RunFailedError: the run failed, or somebody stopped it.
        """
        if failure := self.follow(table, self.start(table, **more)):
            raise RunFailedError(failure)

    def start(self, table: str, **more: str | bool) -> str:
        """Start a run; return its ARN."""
        from tidegate.runs import start_run

        return start_run(self._client, self._machine, table, **more)

    def follow(self, table: str, run: str) -> str:
        """Wait for the end of a run; return why it failed, or an empty text."""
        from tidegate.runs import read_end

        with Console().status(Text(f"{table}: starting")) as shown:
            while (end := read_end(self._client, run)) is None:
                waiting = counted(self.files.count_pending(table), "file")
                shown.update(Text(f"{table}: {waiting} to load"))
                time.sleep(_LOOK_EVERY)
        return end

    def print_pending(self, table: str) -> None:
        """Print that all files are loaded, or that another run still loads some."""
        waiting = self.files.count_pending(table)
        if waiting:
            left = counted(waiting, "file")
            typer.echo(f"{table}: another run is loading {left}; to wait for it: tidegate wait")
        else:
            typer.echo(f"{table}: all landed files are loaded")
