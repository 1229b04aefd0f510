"""What the demo says of a batch."""

import io

from rich.console import Console

from demo.display import show_watermark


def shown(old: str | None, new: str | None) -> list[str]:
    console = Console(width=80, file=io.StringIO())
    show_watermark(console, "1 inserted, 0 updated, 0 deleted", old, new)
    return [line.strip() for line in console.file.getvalue().splitlines()[2:]]


def test_batch_that_applied_nothing_leaves_the_watermark_where_it_was():
    stays = "unchanged: the batch applied nothing newer"
    assert shown("000001 1 x", "000001 1 x") == ["watermark  000001 1 x", stays]
    assert shown(None, None) == ["watermark  none", stays]


def test_batch_that_moves_the_watermark_shows_both():
    assert shown(None, "000001 1 y") == ["watermark  none", "→  000001 1 y"]
