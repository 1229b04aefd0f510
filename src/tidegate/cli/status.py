"""`tidegate status` shows where every table stands; `tidegate wait` waits until all is loaded."""

import os
import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tidegate.cli.counting import counted

if TYPE_CHECKING:
    from tidegate.status import Deployed, Status, TableStatus

_LOOK_EVERY = 0.5  # seconds
_REFRESH_WANTED = "a full refresh is pending"
_COLOURS = {"idle": "green", "running": "yellow", "waiting": "magenta", "blocked": "red"}


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Show where every table stands."""
    current = _deployed().status()
    if as_json:
        typer.echo(current.model_dump_json(indent=2))
    else:
        show(current, Console())


def wait(
    timeout: Annotated[
        float | None, typer.Option(help="Give up after this many seconds. Default: never.")
    ] = None,
) -> None:
    """Wait until nothing is pending or running.

    Exits with 1 and lists the rest if the time is up or only blocked tables are left.
    """
    deployed = _deployed()
    deadline = time.monotonic() + timeout if timeout is not None else float("inf")
    while left := deployed.left():
        only_blocked = all(not isinstance(one, int) and one.state == "blocked" for one in left)
        if only_blocked or time.monotonic() >= deadline:
            _print_left(left)
            raise typer.Exit(1)
        time.sleep(_LOOK_EVERY)


def _deployed() -> "Deployed":
    import boto3

    from tidegate.ledger import LedgerTable
    from tidegate.settings import CommandLineSettings, read_settings
    from tidegate.status import Deployed

    settings = read_settings(CommandLineSettings, os.environ)
    ledger = LedgerTable(boto3.client("dynamodb"), settings.ledger_table)
    return Deployed(ledger, boto3.client("sqs"), settings.landing_queue_url)


def show(current: "Status", console: Console) -> None:
    """Print the tables, and below them the facts that do not fit into a column."""
    console.print(_overview(current.tables))
    for table in current.tables:
        if table.watermark:
            _print_line(console, f"{table.table}: watermark {table.watermark}")
        if table.refresh_wanted:
            _print_line(console, f"{table.table}: {_REFRESH_WANTED}")
        if table.last_error:
            _print_line(console, f"{table.table}: {table.last_error}", style="red")
        if table.retry_at:
            _print_line(console, f"{table.table}: {_retry_text(table)}")
    if current.unrouted:
        are, them = ("is", "it") if current.unrouted == 1 else ("are", "them")
        unrouted = counted(current.unrouted, "object")
        _print_line(console, f"{unrouted} {are} unrouted: no contract claims {them}")


def _retry_text(table: "TableStatus") -> str:
    again = f"Tidegate tries again by itself at {table.retry_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"failed attempts: {table.attempts}; {again}"


def _print_line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style), soft_wrap=True)


def _overview(tables: list["TableStatus"]) -> Table:
    overview = Table(header_style="bold", box=None, pad_edge=False)
    overview.add_column("table", overflow="fold")
    overview.add_column("state", no_wrap=True)
    for name in ("pending", "applied", "quarantined", "lag"):
        overview.add_column(name, no_wrap=True, justify="right")
    for table in tables:
        overview.add_row(*_cells(table))
    return overview


def _cells(table: "TableStatus") -> list[str | Text]:
    return [
        Text(table.table),
        Text(table.state, style=_COLOURS[table.state]),
        str(table.pending),
        str(table.applied_files),
        f"{counted(table.quarantined_files, 'file')}, {counted(table.quarantined_rows, 'row')}",
        f"{table.lag_seconds} s",
    ]


def _print_left(left: list["TableStatus | int"]) -> None:
    for one in left:
        if isinstance(one, int):
            have = "has" if one == 1 else "have"
            text = f"{counted(one, 'object')} {have} landed but {have} not been registered yet"
            typer.echo(text, err=True)
        else:
            text = f"{one.table}: {one.state}, {counted(one.pending, 'file')} pending"
            text += f", {_REFRESH_WANTED}" if one.refresh_wanted else ""
            typer.echo(f"{text}: {one.last_error}" if one.last_error else text, err=True)
