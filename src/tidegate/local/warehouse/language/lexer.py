"""The words of a SQL text: for splitting statements and for those that only Redshift has."""

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
    """One word, name, literal or mark, and where it stands in the text."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def value(self) -> str:
        """The text a literal stands for, the name an identifier stands for."""
        if self.kind == "string":
            return _ESCAPE.sub(_unescape, self.text[self.text.index("'") + 1 : -1])
        if self.kind == "quoted":
            return fold(self.text[1:-1].replace('""', '"'))
        return fold(self.text) if self.kind == "word" else self.text

    @property
    def upper(self) -> str:
        """For comparison with keywords; empty when quoted."""
        return "" if self.kind in {"quoted", "string"} else self.text.upper()


def _unescape(found: re.Match[str]) -> str:
    return "'" if found[1] is None else _ESCAPED.get(found[1], found[1])


def fold(identifier: str) -> str:
    """Lower case even when quoted, and cut at 127 bytes.

    https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
    """
    return identifier.lower().encode()[:IDENTIFIER_BYTES].decode(errors="ignore")


def quote(identifier: str) -> str:
    """The identifier as DuckDB reads it, whatever it contains."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as a literal for DuckDB, where a backslash is an ordinary character."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Name:
    """A possibly qualified name of a table or view, folded."""

    table: str
    schema: str = ""

    def __str__(self) -> str:
        """As it is written in messages."""
        return f"{self.schema}.{self.table}" if self.schema else self.table

    @property
    def sql(self) -> str:
        """The name as DuckDB reads it."""
        return ".".join(quote(part) for part in (self.schema, self.table) if part)

    @property
    def in_schema(self) -> "Name":
        """The name with its schema, public where none is given."""
        return self if self.schema else Name(self.table, "public")


def tokenize(text: str) -> Iterator[Token]:
    """Every token but blanks and comments."""
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup
        if kind != "space":
            yield Token(kind, found[0], found.start(), found.end())  # type: ignore[arg-type]


def is_blank(text: str) -> bool:
    """Whether there is no statement in the text."""
    return all(token.text == ";" for token in tokenize(text))


def split(text: str) -> list[str]:
    """The statements of a text; a semicolon inside a literal does not end one."""
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
        """Reads the text."""
        self.tokens = list(tokenize(self.text))

    @property
    def done(self) -> bool:
        """Whether every token was taken."""
        return self.position >= len(self.tokens)

    def peek(self, ahead: int = 0) -> str:
        """The word that comes, in upper case; empty at the end and before quoted text."""
        index = self.position + ahead
        return self.tokens[index].upper if index < len(self.tokens) else ""

    def take(self) -> Token:
        """The next token, whatever it is."""
        if self.done:
            raise SqlError(SYNTAX, "syntax error at end of input")
        self.position += 1
        return self.tokens[self.position - 1]

    def accept(self, *words: str) -> bool:
        """Takes these words if they come next, all of them."""
        if all(self.peek(ahead) == word for ahead, word in enumerate(words)):
            self.position += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        """Takes these words or refuses the statement."""
        for word in words:
            if not self.accept(word):
                raise self.unexpected()

    def unexpected(self) -> SqlError:
        """Redshift's syntax error at the token that comes."""
        if self.done:
            return SqlError(SYNTAX, "syntax error at end of input")
        return SqlError(SYNTAX, f'syntax error at or near "{self.tokens[self.position].text}"')

    def end(self) -> None:
        """Refuses anything that is left."""
        if not self.done:
            raise self.unexpected()

    def _take_kind(self, *kinds: Kind) -> Token:
        if self.done or self.tokens[self.position].kind not in kinds:
            raise self.unexpected()
        return self.take()

    def identifier(self) -> str:
        """A folded identifier, quoted or not."""
        return self._take_kind("word", "quoted").value

    def string(self) -> str:
        """The value of a literal."""
        return self._take_kind("string").value

    def number(self) -> int:
        """A whole number."""
        return int(self._take_kind("number").text)

    def name(self) -> Name:
        """A table's name, perhaps with schema (and database, which is dropped)."""
        parts = [self.identifier()]
        while self.accept("."):
            parts.append(self.identifier())
        return Name(parts[-1], parts[-2] if len(parts) > 1 else "")

    def listed(self, element: Callable[[], T]) -> list[T]:
        """Elements between parentheses, separated by commas."""
        self.expect("(")
        elements = [element()]
        while self.accept(","):
            elements.append(element())
        self.expect(")")
        return elements

    def rest(self) -> str:
        """The text that is left, taken."""
        start = self.tokens[self.position].start if not self.done else len(self.text)
        self.position = len(self.tokens)
        return self.text[start:].strip()
