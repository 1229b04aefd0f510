"""`make demo`: deploys the app on a local stack, where it keeps one table equal to its source."""

import os
import signal
import sys
import time
from pathlib import Path

from rich.console import Console

from demo.landing import land
from demo.stack import ROOT, TIDEGATE, local_stack
from tidegate.contract import read_contracts
from tidegate.errors import ContractError, TidegateError

TABLES = Path("tables")
CONTRACT = TABLES / "customers.yaml"
TABLE = "sales.customers"
FILES = Path("demo") / "customers"
FULL_LOAD = FILES / "LOAD00000001.csv"
FIRST_CHANGES = FILES / "20240809-192717787.csv"
MORE_CHANGES = FILES / "20240810-081500000.csv"
INTERRUPTED = 130  # the exit code that shells expect after Ctrl-C


def main() -> int:
    """Start a stack, land a full load and two change files, and print what happens."""
    console = Console(highlight=False)
    os.chdir(ROOT)
    # A signal that ends the demo must also end its stack.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        _run(console)
    except TidegateError as error:
        console.print(f"\n{error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("\nstopped")
        return INTERRUPTED
    return 0


def _run(console: Console) -> None:
    started = time.monotonic()
    _begin(console, "A local stack starts, deployed from template.yaml")
    console.print(f"  [bold]contract[/]   {CONTRACT}, for the table {TABLE}")
    if TABLE not in {contract.table for contract in read_contracts(TABLES)}:
        raise ContractError(f"the demo needs a contract for {TABLE}; restore {CONTRACT}")
    with local_stack(console, TABLES):
        _begin(console, "A full load and the first changes land")
        rows, watermark = land(console, [FULL_LOAD, FIRST_CHANGES], {}, None)
        _begin(console, "One more change file lands: an update, a delete, an insert")
        land(console, [MORE_CHANGES], rows, watermark)
    seconds = time.monotonic() - started
    console.print(f"\nThe demo took {seconds:.0f} s, and its stack has stopped. Try it yourself:\n")
    _say_what_to_type_next(console)


def _begin(console: Console, chapter: str) -> None:
    console.print()
    console.rule(f"[bold]{chapter}", align="left", style="cyan")


def _say_what_to_type_next(console: Console) -> None:
    tidegate, python = (os.path.relpath(path) for path in (TIDEGATE, sys.executable))
    for command, why in (
        (
            f"{tidegate} local up --detach",
            f"Start a stack that keeps running. To stop it: {tidegate} local down",
        ),
        (
            f'eval "$({tidegate} local env)"',
            "Point aws, boto3, psql and redshift_connector at it.",
        ),
        (
            f"{python} -m demo.landing {FULL_LOAD}",
            "Land a file. Or: aws s3 cp FILE s3://$TIDEGATE_LANDING_BUCKET/PREFIX/",
        ),
    ):
        console.print(f"  [dim]# {why}[/]", soft_wrap=True)
        console.print(f"  {command}", markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
