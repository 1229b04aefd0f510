"""CREATE TABLE with Redshift's columns, keys and styles, and CREATE TABLE … AS."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tidegate.local.warehouse.catalog.relations import Column, comment_on_column, comment_on_table
from tidegate.local.warehouse.engine.session import Session
from tidegate.local.warehouse.engine.statement import Outcome, Statement
from tidegate.local.warehouse.language.datatypes import read_type
from tidegate.local.warehouse.language.failures import SYNTAX, SqlError
from tidegate.local.warehouse.language.lexer import Name, Words, quote
from tidegate.local.warehouse.language.oids import Parameter
from tidegate.local.warehouse.statements.column_attributes import read_attributes
from tidegate.local.warehouse.statements.queries import Query

MAX_COLUMNS = 1600


@dataclass
class Definition:
    """The columns, keys and attributes of a CREATE TABLE."""

    columns: list[Column] = field(default_factory=list)
    like: Name | None = None
    like_defaults: bool = False
    kept: dict[str, Any] = field(default_factory=dict)


@dataclass
class CreateTable(Statement):
    """CREATE TABLE, or CREATE TEMP TABLE."""

    text: str
    name: Name
    temporary: bool
    if_not_exists: bool
    definition: Definition
    kind: str = "CREATE TABLE"

    def names(self) -> Sequence[Name]:
        """Returns the table, and the table of its LIKE clause."""
        return [self.name, self.definition.like] if self.definition.like else [self.name]

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Creates the table and stores its Redshift attributes."""
        if self.definition.like:
            session.lock_shared([self.definition.like])
        if not (self.if_not_exists and _exists(session, self.name, temporary=self.temporary)):
            session.define(self._statements(session), made=self.name, temporary=self.temporary)
        return Outcome("CREATE TABLE")

    def _statements(self, session: Session) -> Sequence[str]:
        columns = [*self._like_columns(session), *self.definition.columns]
        if len(columns) > MAX_COLUMNS:
            raise SqlError("54011", f"tables can have at most {MAX_COLUMNS} columns")
        table = _sql_name(self.name, temporary=self.temporary)
        listed = ", ".join(column_sql(column) for column in columns)
        create = f"{_create(temporary=self.temporary)} {table} ({listed})"
        comments = [comment_on_column(table, column) for column in columns]
        return [create, *comments, comment_on_table(table, self.definition.kept)]

    def _like_columns(self, session: Session) -> list[Column]:
        if self.definition.like is None:
            return []
        columns = session.catalog.get(self.definition.like).columns
        keep_defaults = self.definition.like_defaults
        return [column if keep_defaults else replace(column, default=None) for column in columns]


@dataclass
class CreateTableAs(Statement):
    """CREATE TABLE … AS SELECT."""

    text: str
    name: Name
    temporary: bool
    if_not_exists: bool
    query: Query
    column_names: list[str]
    kept: dict[str, Any]
    kind: str = "SELECT"

    def names(self) -> Sequence[Name]:
        """Returns the table and the tables that its query reads."""
        return [self.name, *self.query.names()]

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Creates and fills the table, all or nothing."""
        session.lock_shared(self.query.names())
        session.publish(self.text)
        if self.if_not_exists and _exists(session, self.name, temporary=self.temporary):
            return Outcome("SELECT")
        table = _sql_name(self.name, temporary=self.temporary)
        named = f" ({', '.join(map(quote, self.column_names))})" if self.column_names else ""
        with session.transaction.atomic():
            create = _create(temporary=self.temporary)
            session.define(
                [f"{create} {table}{named} as {self.query.sql()}"],
                made=self.name,
                temporary=self.temporary,
            )
            columns = session.catalog.get(self.name).columns
            comments = [comment_on_column(table, column) for column in columns]
            comments.append(comment_on_table(table, self.kept))
            session.define(comments, made=self.name, temporary=self.temporary)
        return Outcome("SELECT")


def _exists(session: Session, name: Name, *, temporary: bool) -> bool:
    found = session.catalog.find(name)
    if found is None or found.temporary != temporary:
        return False
    session.notify("42P07", f'Relation "{name.table}" already exists and will be skipped', "INFO")
    return True


def _sql_name(name: Name, *, temporary: bool) -> str:
    return f"temp.main.{quote(name.table)}" if temporary else name.in_schema.sql


def _create(*, temporary: bool) -> str:
    return "create temporary table" if temporary else "create table"


def column_sql(column: Column) -> str:
    """Returns the column's definition for DuckDB."""
    parts = [quote(column.name), column.type.duckdb]
    if column.default is not None:
        parts.append(f"default {column.default}")
    if not column.nullable:
        parts.append("not null")
    return " ".join(parts)


def read_create_table(words: Words, database: str, *, temporary: bool) -> Statement:
    """Reads the words after CREATE [TEMP] TABLE."""
    skip = words.accept("IF", "NOT", "EXISTS")
    name = words.name()
    if temporary and name.schema:
        raise SqlError("42P16", "temporary tables may not specify a schema name")
    if _is_query_next(words):
        return _read_create_as(words, database, name, temporary=temporary, skip=skip)
    definition = Definition()
    words.listed(lambda: _read_element(words, database, definition))
    _read_styles(words, definition.kept)
    words.end()
    _refuse_duplicates(definition.columns)
    return CreateTable(words.text, name, temporary, skip, definition)


def _is_query_next(words: Words) -> bool:
    """Returns whether AS comes next, or a style or a list of bare column names before AS."""
    depth, ahead = 0, 0
    while (
        word := words.peek(ahead)
        or words.tokens[words.position + ahead : words.position + ahead + 1]
    ):
        depth += {"(": 1, ")": -1}.get(str(word), 0)
        if depth == 0 and word == "AS":
            return True
        ahead += 1
    return False


def _read_create_as(
    words: Words, database: str, name: Name, *, temporary: bool, skip: bool
) -> Statement:
    column_names = words.listed(words.identifier) if words.peek() == "(" else []
    kept: dict[str, Any] = {}
    _read_styles(words, kept)
    words.expect("AS")
    text = words.text
    query = Query(_unwrapped(words.rest()), database)
    return CreateTableAs(text, name, temporary, skip, query, column_names, kept)


def _unwrapped(text: str) -> str:
    return (
        text[1:-1] if text.startswith("(") and text.endswith(")") and text.count("(") == 1 else text
    )


def _read_element(words: Words, database: str, into: Definition) -> None:
    if words.accept("LIKE"):
        into.like = words.name()
        into.like_defaults = _read_like_option(words)
    elif words.peek() in {"PRIMARY", "UNIQUE", "FOREIGN", "CONSTRAINT"}:
        read_table_constraint(words, into.kept)
    elif words.peek() in {"CHECK", "EXCLUDE"}:
        raise words.unexpected()
    else:
        name = words.identifier()
        column = Column(name, read_type(words))
        into.columns.append(read_attributes(column, words, database, into.kept))


def _read_like_option(words: Words) -> bool:
    if words.accept("INCLUDING"):
        words.expect("DEFAULTS")
        return True
    if words.accept("EXCLUDING"):
        words.expect("DEFAULTS")
    return False


def read_table_constraint(words: Words, kept: dict[str, Any]) -> None:
    """Reads a key of the table; Redshift stores it and does not enforce it."""
    if words.accept("CONSTRAINT"):
        words.identifier()
    if words.accept("FOREIGN", "KEY"):
        words.listed(words.identifier)
        words.expect("REFERENCES")
        words.name()
        if words.peek() == "(":
            words.listed(words.identifier)
    elif words.accept("PRIMARY", "KEY"):
        kept["primary_key"] = words.listed(words.identifier)
    else:
        words.expect("UNIQUE")
        kept.setdefault("unique", []).append(words.listed(words.identifier))


_STYLES = {
    "BACKUP", "COMPOUND", "DISTKEY", "DISTSTYLE", "ENCODE", "INTERLEAVED", "SORTKEY",
}  # fmt: skip


def _read_styles(words: Words, kept: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html"""
    while words.peek() in _STYLES:
        _read_style(words, kept)


def _read_style(words: Words, kept: dict[str, Any]) -> None:
    if words.accept("DISTSTYLE"):
        kept["diststyle"] = words.identifier()
        if kept["diststyle"] not in {"auto", "even", "key", "all"}:
            raise SqlError(SYNTAX, f'syntax error at or near "{kept["diststyle"]}"')
    elif words.accept("DISTKEY"):
        (kept["distkey"],) = words.listed(words.identifier)
    elif words.accept("BACKUP"):
        if not words.accept("YES"):
            words.expect("NO")
    elif words.accept("ENCODE"):
        words.expect("AUTO")
    else:
        _ = words.accept("COMPOUND") or words.accept("INTERLEAVED")
        words.expect("SORTKEY")
        kept["sortkey"] = None if words.accept("AUTO") else words.listed(words.identifier)


def _refuse_duplicates(columns: Sequence[Column]) -> None:
    seen = set[str]()
    for column in columns:
        if column.name in seen:
            raise SqlError("42701", f'column "{column.name}" duplicated')
        seen.add(column.name)
