"""`tidegate check`: contracts are read, and every mistake is named with file, line and remedy."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tidegate.contract import check_contracts

_DEFAULT = [Path("tables")]


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files, or folders of *.yaml; else tables/.")
    ] = None,
) -> None:
    """Check contracts; exit 1 if any has a mistake."""
    console = Console(soft_wrap=True, highlight=False)
    contracts, mistakes = check_contracts(paths or _DEFAULT)
    for mistake in mistakes:
        console.print(str(mistake), markup=False)
    if mistakes:
        raise typer.Exit(1)
    if not contracts:
        console.print("no contract found; write one into tables/", markup=False)
        raise typer.Exit(1)
    for contract in contracts:
        console.print(
            f"{contract.table}: {len(contract.columns)} columns from {contract.source.prefix}",
            markup=False,
        )
