"""Numbers in sentences."""


def counted(number: int, noun: str) -> str:
    """`number` with its noun, as in 1 file and 2 files."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
