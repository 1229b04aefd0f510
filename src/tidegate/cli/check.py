"""`tidegate check`: contracts are read, and every mistake is named with file, line and remedy."""

from pathlib import Path
from typing import Annotated

import typer

from tidegate.contract import check_contracts

_DEFAULT = [Path("tables")]


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files, or folders of *.yaml; else tables/.")
    ] = None,
) -> None:
    """Check contracts; exit 1 if any has a mistake."""
    contracts, mistakes = check_contracts(paths or _DEFAULT)
    for mistake in mistakes:
        typer.echo(mistake)
    if mistakes:
        raise typer.Exit(1)
    if not contracts:
        typer.echo("no contract found; write one into tables/")
        raise typer.Exit(1)
    for contract in contracts:
        columns = f"{len(contract.columns)} columns from {contract.source.prefix}"
        typer.echo(f"{contract.table}: {columns}")
