"""CREATE, DROP, TRUNCATE and COMMENT."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tidegate.local.warehouse.catalog.relations import comment_on_column
from tidegate.local.warehouse.engine.session import Session
from tidegate.local.warehouse.engine.statement import Outcome, Statement
from tidegate.local.warehouse.language.failures import SqlError, not_supported_locally
from tidegate.local.warehouse.language.lexer import Name, Words, quote
from tidegate.local.warehouse.language.oids import Parameter
from tidegate.local.warehouse.statements.control import Accepted
from tidegate.local.warehouse.statements.queries import Query
from tidegate.local.warehouse.statements.tables import read_create_table


@dataclass
class CreateSchema(Statement):
    """CREATE SCHEMA."""

    text: str
    name: str
    if_not_exists: bool
    kind: str = "CREATE SCHEMA"

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Creates the schema."""
        skip = "if not exists " if self.if_not_exists else ""
        session.define([f"create schema {skip}{quote(self.name)}"])
        return Outcome(self.kind)


@dataclass
class CreateView(Statement):
    """CREATE VIEW; all views are late-binding, as in DuckDB."""

    text: str
    name: Name
    or_replace: bool
    column_names: list[str]
    query: Query
    kind: str = "CREATE VIEW"

    def names(self) -> Sequence[Name]:
        """Returns the view and the tables it reads."""
        return [self.name, *self.query.names()]

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Creates the view."""
        session.lock_shared(self.query.names())
        verb = "create or replace view" if self.or_replace else "create view"
        named = f" ({', '.join(map(quote, self.column_names))})" if self.column_names else ""
        session.define([f"{verb} {self.name.in_schema.sql}{named} as {self.query.sql()}"])
        return Outcome(self.kind)


@dataclass
class Drop(Statement):
    """DROP TABLE, VIEW or SCHEMA."""

    text: str
    what: str
    targets: list[Name]
    if_exists: bool
    cascade: bool

    @property
    def kind(self) -> str:  # type: ignore[override]
        """The command: DROP and the kind of object."""
        return f"DROP {self.what}"

    def names(self) -> Sequence[Name]:
        """Returns the tables or views to drop."""
        return [] if self.what == "SCHEMA" else self.targets

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Drops all of them or none."""
        session.lock_exclusively(self.names())
        session.define([sql for name in self.targets for sql in self._statement(session, name)])
        return Outcome(self.kind)

    def _statement(self, session: Session, name: Name) -> list[str]:
        if self.what == "SCHEMA":
            skip = "if exists " if self.if_exists else ""
            return [f"drop schema {skip}{quote(name.table)}{' cascade' if self.cascade else ''}"]
        missing = f'{self.what.title()} "{name}" does not exist'
        found = session.catalog.find(name)
        if found is None and self.if_exists:
            session.notify("00000", f"{missing} and will be skipped", "INFO")
            return []
        if found is None:
            raise SqlError("42P01", missing)
        return [f"drop {self.what} {found.sql}"]


@dataclass
class Truncate(Statement):
    """TRUNCATE, which commits the transaction it is in.

    https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNCATE.html
    """

    text: str
    name: Name
    kind: str = "TRUNCATE"

    def names(self) -> Sequence[Name]:
        """Returns the table."""
        return [self.name]

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Empties the table and commits the whole transaction; nothing can undo it."""
        session.lock_exclusively([self.name])
        target = session.catalog.get(self.name)
        with session.transaction.atomic():
            session.cursor.execute(f"truncate {target.sql}")
        if session.transaction.in_block:
            session.transaction.commit()
        return Outcome("TRUNCATE TABLE")


@dataclass
class Comment(Statement):
    """COMMENT ON TABLE, COLUMN or another object; only columns store the remark."""

    text: str
    table: Name
    column: str
    remark: str | None
    kind: str = "COMMENT"

    def names(self) -> Sequence[Name]:
        """Returns the table."""
        return [self.table]

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Stores the remark of a column; ignores any other."""
        target = session.catalog.get(self.table)
        if self.column:
            column = replace(target.column(self.column), remark=self.remark)
            session.define([comment_on_column(target.sql, column)])
        return Outcome(self.kind)


_ABSENT_LOCALLY = {
    "DATABASE", "EXTERNAL", "FUNCTION", "LIBRARY", "MATERIALIZED", "MODEL", "PROCEDURE",
}  # fmt: skip


def read_create(words: Words, database: str) -> Statement:
    """Reads the words after CREATE."""
    or_replace = words.accept("OR", "REPLACE")
    words.accept("LOCAL")
    temporary = words.accept("TEMP") or words.accept("TEMPORARY")
    if words.accept("TABLE") and not or_replace:
        return read_create_table(words, database, temporary=temporary)
    if words.accept("VIEW") and not temporary:
        return _read_create_view(words, database, or_replace=or_replace)
    if words.accept("SCHEMA"):
        return _read_create_schema(words)
    if words.peek() in {"USER", "GROUP", "ROLE"}:
        return Accepted(words.text, f"CREATE {words.peek()}")
    if words.peek() in _ABSENT_LOCALLY:
        raise not_supported_locally(f"CREATE {words.peek()}")
    # CREATE INDEX, SEQUENCE, TYPE, … do not exist in Redshift:
    # https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
    raise words.unexpected()


def _read_create_schema(words: Words) -> Statement:
    skip = words.accept("IF", "NOT", "EXISTS")
    name = words.identifier()
    if words.accept("AUTHORIZATION"):
        words.identifier()
    if words.accept("QUOTA"):
        _ = words.accept("UNLIMITED") or (words.number(), words.identifier())
    words.end()
    return CreateSchema(words.text, name, skip)


def _read_create_view(words: Words, database: str, *, or_replace: bool) -> Statement:
    name = words.name()
    column_names = words.listed(words.identifier) if words.peek() == "(" else []
    words.expect("AS")
    text = words.text
    query = words.rest()
    if [token.upper for token in words.tokens[-4:]] == ["WITH", "NO", "SCHEMA", "BINDING"]:
        query = query[: words.tokens[-4].start - len(text)].strip()
    return CreateView(text, name, or_replace, column_names, Query(query, database))


def read_drop(words: Words) -> Statement:
    """Reads the words after DROP."""
    what = words.take().upper
    if what in {"USER", "GROUP", "ROLE"}:
        return Accepted(words.text, f"DROP {what}")
    if what not in {"TABLE", "VIEW", "SCHEMA"}:
        words.position -= 1
        raise words.unexpected()
    skip = words.accept("IF", "EXISTS")
    targets = [words.name()]
    while words.accept(","):
        targets.append(words.name())
    cascade = words.accept("CASCADE")
    words.accept("RESTRICT")
    words.end()
    return Drop(words.text, what, targets, skip, cascade)


def read_truncate(words: Words) -> Statement:
    """Reads the words after TRUNCATE."""
    words.accept("TABLE")
    name = words.name()
    words.end()
    return Truncate(words.text, name)


def read_comment(words: Words) -> Statement:
    """Reads the words after COMMENT."""
    words.expect("ON")
    kind = words.take().upper
    parts = [words.identifier()]
    while words.accept("."):
        parts.append(words.identifier())
    column = parts.pop() if kind == "COLUMN" and len(parts) > 1 else ""
    words.expect("IS")
    remark = None if words.accept("NULL") else words.string()
    words.end()
    if kind not in {"TABLE", "COLUMN"}:
        return Accepted(words.text, "COMMENT")
    name = Name(parts[-1], parts[-2] if len(parts) > 1 else "")
    return Comment(words.text, name, column, remark)
