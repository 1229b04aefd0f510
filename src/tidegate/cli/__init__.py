"""The command `tidegate`: the same commands for the local stack and for AWS.

Each command imports what it needs when it runs, so that --help stays quick.
"""

import sys

import typer
from typer.core import TyperGroup

from tidegate.cli import check, local, quarantine, runs, status
from tidegate.errors import SettingsError, TidegateError

_POINT = (
    'for a local stack: eval "$(tidegate local env)"; for AWS: '
    "credentials, a region, and the variables that docs/reference/commands.md names"
)


class PlainErrors(TyperGroup):
    """Prints an error of Tidegate or AWS as one line, and exits with 1."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command that `ctx` holds."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            told = f"{error}; {_POINT}"
        except TidegateError as error:
            told = str(error)
        except Exception as error:
            told = _aws_error(error)
            if not told:
                raise
        typer.secho(told, fg="red", err=True)
        raise typer.Exit(1)


def _aws_error(error: Exception) -> str:
    if "botocore" not in sys.modules:
        return ""  # the command did not call AWS
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, BotoCoreError):
        return f"AWS does not answer: {error}; {_POINT}"
    return f"AWS refused: {error}; {_POINT}" if isinstance(error, ClientError) else ""


app = typer.Typer(
    cls=PlainErrors,
    help="Keeps Amazon Redshift equal to its sources.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(local.app, name="local")
app.add_typer(quarantine.app, name="quarantine")
app.command()(status.status)
app.command()(status.wait)
app.command()(runs.start)
app.command()(runs.refresh)
app.command()(runs.replay)
app.command()(runs.release)
app.command()(check.check)
app.command("compile")(check.compile_)
