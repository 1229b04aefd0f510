"""`tidegate check` and `compile`: read contracts, and name every mistake with its remedy."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.counting import counted

if TYPE_CHECKING:
    from tidegate.contract import Contract

_DEFAULT = [Path("tables")]

Paths = Annotated[
    list[Path] | None, typer.Argument(help="Files, or folders of *.yaml. Default: tables/.")
]


def check(paths: Paths = None) -> None:
    """Check contracts. Exits with 1 if a contract has a mistake."""
    for contract in _read(paths):
        columns = f"{len(contract.columns)} columns from {contract.source.prefix}"
        typer.echo(f"{contract.table}: {columns}")


def compile_(
    into: Annotated[Path, typer.Option(help="The folder to write to.")], paths: Paths = None
) -> None:
    """Write contracts in the form that functions load. Exits with 1 if one has a mistake."""
    from tidegate.contract import write_contracts

    contracts = _read(paths)
    write_contracts(contracts, into)
    typer.echo(f"compiled {counted(len(contracts), 'contract')} into {into}")


def _read(paths: list[Path] | None) -> list["Contract"]:
    from tidegate.contract import check_contracts

    contracts, mistakes = check_contracts(paths or _DEFAULT)
    for mistake in mistakes:
        typer.echo(mistake)
    if mistakes:
        raise typer.Exit(1)
    if not contracts:
        typer.echo("no contract found; write one in tables/")
        raise typer.Exit(1)
    return contracts
