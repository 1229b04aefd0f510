"""The SQL of the folder `sql/`: found by operation, filled with quoted names and column lists."""

from functools import cache
from importlib.resources import files


@cache
def _text(operation: str) -> str:
    folder, _, name = operation.partition("/")
    return (files("tidegate.sql") / folder / f"{name}.sql").read_text(encoding="utf-8").strip()


def render(operation: str, /, **parts: str | int) -> str:
    """The statement of `sql/<operation>.sql` with `{name}` places filled by `parts`.

    Raises:
        KeyError: the file names a place that `parts` does not fill.
    """
    return _text(operation).format_map(parts)


def lines(items: list[str], indent: int = 4, joint: str = ",") -> str:
    """`items` one a line, joined by `joint`, below a first line that is indented already."""
    return f"{joint}\n{' ' * indent}".join(items)
