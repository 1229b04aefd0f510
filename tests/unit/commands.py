"""Every command of `tidegate`, as its parser knows it."""

from collections.abc import Iterator

import click
import typer.main

from tidegate.cli import app

NO_OPTIONS = {"--help"}


def commands(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    for word, part in getattr(command, "commands", {}).items():
        path = f"{name} {word}".strip()
        yield path, part
        yield from commands(part, path)


def options(command: click.Command) -> set[str]:
    return {text for one in command.params for text in one.opts if text.startswith("--")}


EVERY_COMMAND = dict(commands(typer.main.get_command(app)))
