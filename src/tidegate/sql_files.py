"""Reads the SQL files of the folder `sql/`, and fills their placeholders."""

from functools import cache
from importlib.resources import files


@cache
def _text(operation: str) -> str:
    folder, _, name = operation.partition("/")
    return (files("tidegate.sql") / folder / f"{name}.sql").read_text(encoding="utf-8").strip()


def render(operation: str, /, **parts: str | int) -> str:
    """Return the statement in `sql/<operation>.sql`, with its `{name}` placeholders filled.

    `parts` has the text of each placeholder: quoted names and column lists.

    Raises:
        KeyError: `parts` lacks a placeholder that the file has.
    """
    return _text(operation).format_map(parts)


def lines(items: list[str], indent: int = 4, joint: str = ",") -> str:
    """Join `items` with one on each line; the placeholder has already indented the first."""
    return f"{joint}\n{' ' * indent}".join(items)
