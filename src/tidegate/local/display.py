"""Prints a stack on a terminal: its addresses, the next commands and its journal."""

from typing import Any

from rich.console import Console
from rich.text import Text

from tidegate.local.cloud.journal import Entry, Journal
from tidegate.local.log_file import time_of

WAIT_SECONDS = 60.0
SOURCES = ("cyan", "green", "magenta", "yellow", "blue")
DEFAULT_PORT = 4566


def show_stack(console: Console, description: dict[str, Any], port: int, command: str) -> None:
    """Print the addresses of a stack and the next commands; `command` is how to call tidegate."""
    environment: dict[str, str] = description["environment"]
    option = "" if port == DEFAULT_PORT else f" --port {port}"
    for name, value in _parts(description).items():
        console.print(Text.assemble((f"{name:<10} ", "bold"), value), soft_wrap=True)
    console.print("\nnext:", style="bold")
    for line in (
        f'eval "$({command} local env{option})"',
        f"aws s3 cp FILE s3://{environment['TIDEGATE_LANDING_BUCKET']}/PREFIX/",
        f"{command} status",
        f"{command} local down{option}",
    ):
        console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print()


def follow(journal: Journal, console: Console) -> None:
    """Print each entry of the journal as it is written; never returns."""
    seen = 0
    while True:
        for entry in journal.after(seen, WAIT_SECONDS):
            seen = entry.number
            console.print(render(entry), soft_wrap=True)


def render(entry: Entry) -> Text:
    """Return one entry as a coloured line; failures are red."""
    colour = SOURCES[sum(entry.source.encode()) % len(SOURCES)]
    return Text.assemble(
        (time_of(entry), "dim"),
        " ",
        (f"{entry.source:<14}", colour),
        " ",
        (entry.text, "red" if entry.failed else ""),
    )


def _parts(description: dict[str, Any]) -> dict[str, str]:
    environment: dict[str, str] = description["environment"]
    warehouse = "postgresql://{PGUSER}@{PGHOST}:{PGPORT}/{PGDATABASE}"
    return {
        "cloud": environment["AWS_ENDPOINT_URL"],
        "warehouse": warehouse.format(**environment),
        "landing": f"s3://{environment['TIDEGATE_LANDING_BUCKET']}",
        "Glue job": description["job_python"],
        "log": description["log"],
    }
