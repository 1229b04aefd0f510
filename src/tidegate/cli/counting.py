"""Writes numbers with their nouns."""


def counted(number: int, noun: str) -> str:
    """`number` with its noun, for example "1 file" or "2 files"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
