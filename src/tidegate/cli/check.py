"""`tidegate check` and `compile`: contracts are read, and every mistake is named with a remedy."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tidegate.contract import Contract

_DEFAULT = [Path("tables")]

Paths = Annotated[
    list[Path] | None, typer.Argument(help="Files, or folders of *.yaml; else tables/.")
]


def check(paths: Paths = None) -> None:
    """Check contracts; exit 1 if any has a mistake."""
    for contract in _read(paths):
        columns = f"{len(contract.columns)} columns from {contract.source.prefix}"
        typer.echo(f"{contract.table}: {columns}")


def compile_(
    into: Annotated[Path, typer.Option(help="The folder to write to.")], paths: Paths = None
) -> None:
    """Write contracts as functions load them; exit 1 if any has a mistake."""
    from tidegate.contract import write_contracts

    contracts = _read(paths)
    write_contracts(contracts, into)
    typer.echo(f"compiled into {into}, contracts: {len(contracts)}")


def _read(paths: list[Path] | None) -> list["Contract"]:
    from tidegate.contract import check_contracts

    contracts, mistakes = check_contracts(paths or _DEFAULT)
    for mistake in mistakes:
        typer.echo(mistake)
    if mistakes:
        raise typer.Exit(1)
    if not contracts:
        typer.echo("no contract found; write one into tables/")
        raise typer.Exit(1)
    return contracts
