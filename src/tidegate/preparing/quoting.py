"""Finds out where a quoted field of CSV ends."""

import re


def is_open(text: bytes, delimiter: str) -> bool:
    """Whether the last field of `text` is quoted and does not end in it.

    In a field that does not begin with a quotation mark, the mark is an ordinary character.
    """
    begin = rb"(?:\A(?:\xef\xbb\xbf)?[\r\n]*|" + re.escape(delimiter.encode()) + rb") *"
    quoted = begin + rb'"[^"]*(?:""[^"]*)*("|\Z)'
    return any(not field[1] for field in re.finditer(quoted, text))


def goes_on(line: bytes, delimiter: str, *, is_within: bool) -> bool:
    """Whether a quoted field is open at the end of `line`; `is_within`: one is open before it."""
    return is_open(b'"' + line if is_within else line, delimiter)
