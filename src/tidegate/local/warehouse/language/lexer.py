"""Splits SQL text into tokens, to separate statements and to read statements only Redshift has."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from tidegate.local.warehouse.language.failures import SYNTAX, SqlError

Kind = Literal["word", "quoted", "string", "number", "mark"]
T = TypeVar("T")

IDENTIFIER_BYTES = 127

# Redshift, like PostgreSQL 8.0, reads a backslash in a literal as an escape.
_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<string>[eE]?'[^'\\]*(?:(?:\\.|'')[^'\\]*)*')
    |(?P<quoted>"[^"]*(?:""[^"]*)*")
    |(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)
    |(?P<word>[^\W\d][\w$]*)
    |(?P<mark>::|<>|<=|>=|!=|\|\||\$\d+|.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)|''", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True)
class Token:
    """One word, name, literal or mark, and its position in the text."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def value(self) -> str:
        """The value of a literal or the name of an identifier, without quotes."""
        if self.kind == "string":
            return _ESCAPE.sub(_unescape, self.text[self.text.index("'") + 1 : -1])
        if self.kind == "quoted":
            return fold(self.text[1:-1].replace('""', '"'))
        return fold(self.text) if self.kind == "word" else self.text

    @property
    def upper(self) -> str:
        """The token in upper case, to compare with keywords; empty if quoted."""
        return "" if self.kind in {"quoted", "string"} else self.text.upper()


def _unescape(found: re.Match[str]) -> str:
    return "'" if found[1] is None else _ESCAPED.get(found[1], found[1])


def fold(identifier: str) -> str:
    """Folds an identifier as Redshift does: lower case even if quoted, cut at 127 bytes.

    https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
    """
    return identifier.lower().encode()[:IDENTIFIER_BYTES].decode(errors="ignore")


def quote(identifier: str) -> str:
    """Quotes an identifier for DuckDB; it may contain any character."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Writes a text as a DuckDB literal, where a backslash is an ordinary character."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Name:
    """The folded name of a table or view, with or without schema."""

    table: str
    schema: str = ""

    def __str__(self) -> str:
        """The name in messages."""
        return f"{self.schema}.{self.table}" if self.schema else self.table

    @property
    def sql(self) -> str:
        """The quoted name for DuckDB."""
        return ".".join(quote(part) for part in (self.schema, self.table) if part)

    @property
    def in_schema(self) -> "Name":
        """The name with its schema; public if it has none."""
        return self if self.schema else Name(self.table, "public")


def tokenize(text: str) -> Iterator[Token]:
    """Yields every token except blanks and comments."""
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup
        if kind != "space":
            yield Token(kind, found[0], found.start(), found.end())  # type: ignore[arg-type]


def is_blank(text: str) -> bool:
    """Returns whether the text holds no statement."""
    return all(token.text == ";" for token in tokenize(text))


def split(text: str) -> list[str]:
    """Splits a text into statements; a semicolon inside a literal does not end one."""
    statements, start = [], 0
    end = len(text)
    tokens = list(tokenize(text))
    for token in [*tokens, Token("mark", ";", end, end)]:
        if token.text == ";" and token.kind == "mark":
            statements.append(text[start : token.start].strip())
            start = token.end
    return [statement for statement in statements if not is_blank(statement)]


@dataclass
class Words:
    """A cursor over the tokens of one statement."""

    text: str
    tokens: Sequence[Token] = field(init=False)
    position: int = 0

    def __post_init__(self) -> None:
        """Splits the text into tokens."""
        self.tokens = list(tokenize(self.text))

    @property
    def done(self) -> bool:
        """Whether every token has been taken."""
        return self.position >= len(self.tokens)

    def peek(self, ahead: int = 0) -> str:
        """Returns the next word in upper case; empty at the end and before quoted text."""
        index = self.position + ahead
        return self.tokens[index].upper if index < len(self.tokens) else ""

    def take(self) -> Token:
        """Takes the next token of any kind."""
        if self.done:
            raise SqlError(SYNTAX, "syntax error at end of input")
        self.position += 1
        return self.tokens[self.position - 1]

    def accept(self, *words: str) -> bool:
        """Takes these words if all of them come next; returns whether it did."""
        if all(self.peek(ahead) == word for ahead, word in enumerate(words)):
            self.position += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        """Takes these words; raises a syntax error if they do not come next."""
        for word in words:
            if not self.accept(word):
                raise self.unexpected()

    def unexpected(self) -> SqlError:
        """Returns Redshift's syntax error at the next token."""
        if self.done:
            return SqlError(SYNTAX, "syntax error at end of input")
        return SqlError(SYNTAX, f'syntax error at or near "{self.tokens[self.position].text}"')

    def end(self) -> None:
        """Raises a syntax error if any token is left."""
        if not self.done:
            raise self.unexpected()

    def _take_kind(self, *kinds: Kind) -> Token:
        if self.done or self.tokens[self.position].kind not in kinds:
            raise self.unexpected()
        return self.take()

    def identifier(self) -> str:
        """Takes an identifier, quoted or not, and folds it."""
        return self._take_kind("word", "quoted").value

    def string(self) -> str:
        """Takes a literal and returns its value."""
        return self._take_kind("string").value

    def number(self) -> int:
        """Takes a whole number."""
        return int(self._take_kind("number").text)

    def name(self) -> Name:
        """Takes a table's name with optional schema and database; drops the database."""
        parts = [self.identifier()]
        while self.accept("."):
            parts.append(self.identifier())
        return Name(parts[-1], parts[-2] if len(parts) > 1 else "")

    def listed(self, element: Callable[[], T]) -> list[T]:
        """Takes elements between parentheses, separated by commas."""
        self.expect("(")
        elements = [element()]
        while self.accept(","):
            elements.append(element())
        self.expect(")")
        return elements

    def rest(self) -> str:
        """Takes and returns the rest of the text."""
        start = self.tokens[self.position].start if not self.done else len(self.text)
        self.position = len(self.tokens)
        return self.text[start:].strip()
