"""`tidegate quarantine`: lists quarantined files and rows, and sets a file aside by hand."""

import os
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from tidegate.errors import InvalidInputError

if TYPE_CHECKING:
    from tidegate.quarantine import Refusal

_LINES = 100
_LONGEST_LINE = 2_000  # characters; a key of S3 has up to 1,024


class ListByDefault(TyperGroup):
    """A group that runs `list` if no command is named; no table has the name of a command."""

    def parse_args(  # type: ignore[override]
        self, ctx: typer.Context, args: list[str]
    ) -> list[str]:
        """Put `list` first, unless the arguments begin with a command."""
        named = args[:1] == ["--help"] or (args[:1] and args[0] in self.commands)
        return super().parse_args(ctx, args if named else ["list", *args])


app = typer.Typer(
    cls=ListByDefault,
    help="List quarantined files and rows (no command needed), or set a file aside.",
)


@app.command("list")
def list_refused(
    table: Annotated[
        str | None,
        typer.Argument(help="Only this table. Default: all tables, and unrouted objects."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line, for programs.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Print at most this many lines.")] = _LINES,
) -> None:
    """List the files and rows that could not be loaded, each with its reason."""
    found = _find(table)
    for refusal in islice(found, limit):
        typer.echo(refusal.model_dump_json() if as_json else _line(refusal))
    if next(found, None):
        typer.echo(f"there are more than {limit}; raise --limit to see them", err=True)


@app.command()
def add(
    key: Annotated[str, typer.Argument(help="Key of the object in the landing bucket.")],
    reason: Annotated[str, typer.Option(help="Why; the listing shows it.")] = "",
) -> None:
    """Set a pending file aside, so that its table goes on without it."""
    import boto3

    from tidegate.ledger import Catalogue, HandLedger, LedgerTable, StateLedger
    from tidegate.setting_aside import SetAside
    from tidegate.settings import QuarantineSettings, read_settings
    from tidegate.storage.work_bucket import WorkBucket

    settings = read_settings(QuarantineSettings, os.environ)
    ledger = LedgerTable(boto3.client("dynamodb"), settings.ledger_table)
    work = WorkBucket(boto3.client("s3"), settings.work_bucket)
    set_aside = SetAside(StateLedger(ledger), HandLedger(ledger), work)
    for table in set_aside(Catalogue(ledger).tables(), key, reason):
        typer.echo(
            f"{key} is in a batch of {table}; to go on without it, run: tidegate start {table}"
        )
    typer.echo(f"{key} is set aside; to load it after all, land it again")


def _find(table: str | None) -> Iterator["Refusal"]:
    import boto3

    from tidegate.contract.names import name_some
    from tidegate.ledger import Catalogue, LedgerTable
    from tidegate.quarantine import Quarantine
    from tidegate.settings import QuarantineSettings, read_settings
    from tidegate.storage.work_bucket import WorkBucket

    settings = read_settings(QuarantineSettings, os.environ)
    ledger = LedgerTable(boto3.client("dynamodb"), settings.ledger_table)
    kept = Quarantine(ledger, WorkBucket(boto3.client("s3"), settings.work_bucket))
    tables = Catalogue(ledger).tables()
    if table is None:
        return chain(*map(kept.refusals, tables), kept.unrouted())
    if table not in tables:
        raise InvalidInputError(
            f"there is no contract for {table!r}; there are contracts for: {name_some(tables)}"
        )
    return kept.refusals(table)


def _line(refusal: "Refusal") -> str:
    record = f", record {refusal.record}" if refusal.record is not None else ""
    return _shown(f"{refusal.table or 'unrouted'}: {refusal.file}{record}: {refusal.reason}")


def _shown(text: str) -> str:
    """`text` on one line of a terminal; names of files and columns may hold any character."""
    plain = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return plain if len(plain) <= _LONGEST_LINE else plain[: _LONGEST_LINE - 1] + "…"
