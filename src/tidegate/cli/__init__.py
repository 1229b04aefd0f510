"""The command `tidegate`: one vocabulary for the local stack and for AWS."""

import typer
from rich.console import Console
from typer.core import TyperGroup

from tidegate.cli import check, local, runs, status
from tidegate.errors import TidegateError


class PlainErrors(TyperGroup):
    """Prints an error of Tidegate as one line, and exits with 1."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command that `ctx` holds."""
        try:
            return super().invoke(ctx)
        except TidegateError as error:
            console = Console(stderr=True, soft_wrap=True, highlight=False)
            console.print(str(error), style="red", markup=False)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=PlainErrors,
    help="Keeps Amazon Redshift equal to its sources.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(local.app, name="local")
app.command()(status.status)
app.command()(status.wait)
app.command()(runs.refresh)
app.command()(runs.replay)
app.command()(runs.release)
app.command()(check.check)
