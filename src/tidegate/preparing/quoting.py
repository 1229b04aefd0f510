"""Where a quoted field of CSV ends."""

import re


def is_open(text: bytes, delimiter: str) -> bool:
    """Whether the last field of `text` is quoted and goes on behind it.

    A quotation mark within a field that does not begin with one is a character as any other.
    """
    begin = rb"(?:\A(?:\xef\xbb\xbf)?[\r\n]*|" + re.escape(delimiter.encode()) + rb") *"
    quoted = begin + rb'"[^"]*(?:""[^"]*)*("|\Z)'
    return any(not field[1] for field in re.finditer(quoted, text))


def goes_on(line: bytes, delimiter: str, *, is_within: bool) -> bool:
    """Whether a field is open behind `line`, which begins within one, or does not."""
    return is_open(b'"' + line if is_within else line, delimiter)
