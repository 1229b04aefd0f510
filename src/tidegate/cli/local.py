"""`tidegate local`: runs all of Tidegate on this machine."""

import shlex
import shutil
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from tidegate.errors import LocalStackError

if TYPE_CHECKING:
    from tidegate.local.stack import Stack

app = typer.Typer(help="Run Tidegate on this machine.", no_args_is_help=True)

Port = Annotated[int, typer.Option(help="Port of the cloud.", min=1, max=65535)]
WarehousePort = Annotated[int, typer.Option(help="Port of the warehouse.", min=1, max=65535)]
Template = Annotated[Path, typer.Option(help="The SAM template to deploy.")]
Tables = Annotated[
    Path | None, typer.Option(help="Folder of contracts. Default: the one the template names.")
]
Via = Annotated[
    str | None,
    typer.Option(help="URL that functions and jobs call, if you put a proxy before the cloud."),
]
Detach = Annotated[
    bool, typer.Option("--detach", help="Return when the stack is ready; it keeps running.")
]


@app.command()
def up(
    detach: Detach = False,
    tables: Tables = None,
    port: Port = 4566,
    warehouse_port: WarehousePort = 5439,
    template: Template = Path("template.yaml"),
    via: Via = None,
) -> None:
    """Start a stack. Stop it with Ctrl-C, or with `down` if it is detached."""
    if find_spec("moto") is None:
        raise LocalStackError("the local stack needs more packages: pip install 'tidegate[local]'")
    console = Console(highlight=False)
    if detach:
        from tidegate.local.background import start_in_background
        from tidegate.local.display import show_stack

        running = start_in_background(template, tables, port, warehouse_port, via)
        show_stack(console, running.describe(), port, as_typed(sys.argv[0]))
        return
    # These imports take a second, and only a stack in this process needs them.
    from tidegate.local.serving import run
    from tidegate.local.stack import Stack

    stack = Stack(template, tables, port, warehouse_port, via)
    run(stack, lambda: _show(stack, console, port))
    console.print("stopped")


@app.command()
def env(port: Port = 4566) -> None:
    """Print the variables that point any AWS CLI, SDK or psql at a running stack.

    Use it as: eval "$(tidegate local env)"
    """
    from tidegate.local.control import RunningStack

    for name, value in RunningStack(port).environment().items():
        typer.echo(f"export {name}={_quote(value)}")


@app.command()
def down(port: Port = 4566) -> None:
    """Stop a running stack and wait until it is gone."""
    from tidegate.local.control import RunningStack

    RunningStack(port).stop()


def as_typed(program: str) -> str:
    """How the user can call `program` again: by its name if that is on PATH, else by its path."""
    path = Path(program)
    found = shutil.which(path.name)
    return path.name if found and path.samefile(found) else shlex.quote(program)


def _show(stack: "Stack", console: Console, port: int) -> None:
    from tidegate.local.display import follow, show_stack

    show_stack(console, stack.describe(), port, as_typed(sys.argv[0]))
    threading.Thread(target=follow, args=(stack.journal, console), daemon=True).start()


def _quote(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"
