"""Prints the table with its changes marked, and how the watermark moved."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.warehouse import NAMES, Rows

_NEW, _GONE, _CHANGED, _SAME = "green", "red", "yellow", ""


def show_rows(console: Console, before: Rows, after: Rows) -> None:
    """Print the rows of `after` and the deleted rows; mark new, changed and deleted ones."""
    shown = Table("", *NAMES, box=None, padding=(0, 2, 0, 0), header_style="bold")
    for key in sorted({*before, *after}, key=int):
        mark, style = _mark(key, before, after)
        old, new = before.get(key, ()), after.get(key, ())
        if mark == "~":
            cells = [_moved(*pair) for pair in zip(old, new, strict=True)]
        else:
            cells = [Text(cell, style) for cell in new or old]
        shown.add_row(Text(f"  {mark}", style), *cells)
    console.print(shown)


def show_watermark(console: Console, counts: str, old: str | None, new: str | None) -> None:
    """Print the counts of a batch, and the watermark before and after it."""
    console.print(f"\n  [bold]batch[/]      {counts}")
    console.print(f"  [bold]watermark[/]  {old or 'none'}", soft_wrap=True)
    if new == old:
        console.print("             unchanged: the batch applied nothing newer")
    else:
        console.print(f"          [green]→  {new}[/]", soft_wrap=True)


def _mark(key: str, before: Rows, after: Rows) -> tuple[str, str]:
    if not before or before.get(key) == after.get(key):
        return "", _SAME
    if key not in before:
        return "+", _NEW
    return ("~", _CHANGED) if key in after else ("-", _GONE)


def _moved(old: str, new: str) -> Text:
    if old == new:
        return Text(new)
    return Text.assemble((old, f"strike {_GONE}"), " → ", (new, f"bold {_CHANGED}"))
