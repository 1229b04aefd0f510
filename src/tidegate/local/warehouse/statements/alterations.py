"""ALTER TABLE in the forms that Redshift allows.

https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from tidegate.local.warehouse.catalog.relations import (
    Column,
    Relation,
    comment_on_column,
    comment_on_table,
)
from tidegate.local.warehouse.engine.session import Session
from tidegate.local.warehouse.engine.statement import Block, Outcome, Statement
from tidegate.local.warehouse.language.datatypes import DataType, read_type
from tidegate.local.warehouse.language.failures import UNSUPPORTED, SqlError, raise_in_sql
from tidegate.local.warehouse.language.lexer import Name, Words, quote
from tidegate.local.warehouse.language.oids import Parameter
from tidegate.local.warehouse.statements.column_attributes import read_attributes
from tidegate.local.warehouse.statements.tables import (
    MAX_COLUMNS,
    column_sql,
    read_table_constraint,
)

Change = Callable[[Relation], Sequence[str]]


@dataclass
class AlterTable(Statement):
    """ALTER TABLE; decides what to do from the table's state when it runs."""

    text: str
    name: Name
    change: Change
    kind: str = "ALTER TABLE"

    def names(self) -> Sequence[Name]:
        """Returns the table."""
        return [self.name]

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Alters the table; holds its exclusive lock until the transaction ends."""
        session.lock_exclusively([self.name])
        session.transaction.start()
        session.define(self.change(session.catalog.get(self.name)))
        return Outcome("ALTER TABLE")


@dataclass
class AlterColumnType(AlterTable):
    """ALTER COLUMN … TYPE, which cannot run in a transaction block."""

    block: ClassVar[Block] = Block.OUTSIDE

    @property
    def label(self) -> str:
        """The statement's name in messages: https://github.com/flyway/flyway/issues/2438"""
        return "ALTER TABLE ALTER COLUMN"


@dataclass
class Append(Statement):
    """ALTER TABLE … APPEND FROM, which moves all rows and commits by itself."""

    block: ClassVar[Block] = Block.OUTSIDE
    text: str
    name: Name
    source: Name
    kind: str = field(default="ALTER TABLE APPEND")

    def names(self) -> Sequence[Name]:
        """Returns both tables."""
        return [self.name, self.source]

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Moves the rows."""
        session.lock_exclusively(self.names())
        target, source = (session.catalog.get(name) for name in self.names())
        if target.temporary or source.temporary:
            raise SqlError(UNSUPPORTED, "ALTER TABLE APPEND needs permanent tables")
        if [(c.name, c.type) for c in target.columns] != [(c.name, c.type) for c in source.columns]:
            raise SqlError(UNSUPPORTED, f"columns of {self.name} and {self.source} do not match")
        move = f"insert into {target.sql} select * from {source.sql}"  # noqa: S608 - quoted names
        with session.transaction.atomic():
            session.cursor.execute(move)
            session.cursor.execute(f"truncate {source.sql}")
        return Outcome("ALTER TABLE APPEND")


def read_alter_table(words: Words, database: str) -> Statement:
    """Reads the words after ALTER TABLE."""
    name = words.name()
    if words.accept("APPEND"):
        words.expect("FROM")
        source = words.name()
        words.end()
        return Append(words.text, name, source)
    if words.accept("ALTER"):
        return _read_alter(words, name)
    change = _read_change(words, database)
    words.end()
    return AlterTable(words.text, name, change)


def _read_change(words: Words, database: str) -> Change:
    if words.accept("ADD"):
        return _read_add(words, database)
    if words.accept("DROP"):
        return _read_drop(words)
    if words.accept("RENAME"):
        return _read_rename(words)
    if words.accept("OWNER"):
        words.expect("TO")
        words.identifier()
        return lambda relation: []
    raise words.unexpected()


def _read_add(words: Words, database: str) -> Change:
    if words.peek() in {"PRIMARY", "UNIQUE", "FOREIGN", "CONSTRAINT"}:
        kept: dict[str, Any] = {}
        read_table_constraint(words, kept)
        return lambda relation: []
    words.accept("COLUMN")
    if words.peek() == "IF" and words.peek(1) == "NOT":
        raise words.unexpected()
    keys: dict[str, Any] = {}
    written = words.identifier()
    column = read_attributes(Column(written, read_type(words)), words, database, keys)
    if words.peek() == ",":
        raise words.unexpected()
    if keys:
        raise SqlError(UNSUPPORTED, f"ALTER TABLE ADD COLUMN cannot add {', '.join(keys)}")
    return lambda relation: _add(relation, column)


def _add(relation: Relation, column: Column) -> list[str]:
    if len(relation.columns) >= MAX_COLUMNS:
        raise SqlError("54011", f"tables can have at most {MAX_COLUMNS} columns")
    if any(known.name == column.name for known in relation.columns):
        message = f'column "{column.name}" of relation "{relation.name.table}" already exists'
        raise SqlError("42701", message)
    if not column.nullable and column.default is None:
        message = (
            "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression"
        )
        raise SqlError(UNSUPPORTED, message)
    return [
        f"alter table {relation.sql} add column {column_sql(replace(column, nullable=True))}",
        *_not_null(relation, column),
        comment_on_column(relation.sql, column),
    ]


def _not_null(relation: Relation, column: Column) -> list[str]:
    if column.nullable:
        return []
    return [f"alter table {relation.sql} alter column {quote(column.name)} set not null"]


def _read_drop(words: Words) -> Change:
    if words.accept("CONSTRAINT"):
        words.identifier()
        _ = words.accept("CASCADE") or words.accept("RESTRICT")
        return lambda relation: []
    words.accept("COLUMN")
    name = words.identifier()
    _ = words.accept("CASCADE") or words.accept("RESTRICT")
    return lambda relation: [
        f"alter table {relation.sql} drop column {quote(relation.column(name).name)}"
    ]


def _read_rename(words: Words) -> Change:
    if words.accept("TO"):
        table = words.identifier()
        if words.peek() == ".":
            raise words.unexpected()
        return lambda relation: [f"alter table {relation.sql} rename to {quote(table)}"]
    words.accept("COLUMN")
    old = words.identifier()
    words.expect("TO")
    new = words.identifier()
    return lambda relation: [
        f"alter table {relation.sql} rename {quote(relation.column(old).name)} to {quote(new)}"
    ]


def _read_alter(words: Words, name: Name) -> Statement:
    if words.peek() in {"DISTKEY", "DISTSTYLE", "SORTKEY", "COMPOUND", "ENCODE"}:
        return AlterTable(words.text, name, _read_style(words))
    words.accept("COLUMN")
    column = words.identifier()
    if words.accept("ENCODE"):
        encoding = words.identifier()
        words.end()
        return AlterTable(words.text, name, lambda relation: _encode(relation, column, encoding))
    words.expect("TYPE")
    kind = read_type(words)
    words.end()
    return AlterColumnType(words.text, name, lambda relation: _retype(relation, column, kind))


def _read_style(words: Words) -> Change:
    style = words.identifier()
    kept: dict[str, Any] = {"diststyle": style}
    if style == "distkey":
        kept = {"diststyle": "key", "distkey": words.identifier()}
    elif style in {"sortkey", "compound"}:
        if style == "compound":
            words.expect("SORTKEY")
        kept = {"sortkey": words.listed(words.identifier)}
    elif style == "diststyle":
        kept = {"diststyle": words.identifier(), "distkey": None}
        if words.accept("DISTKEY"):
            kept["distkey"] = words.identifier()
    words.rest()
    return lambda relation: [comment_on_table(relation.sql, {**relation.kept, **kept})]


def _encode(relation: Relation, name: str, encoding: str) -> list[str]:
    return [comment_on_column(relation.sql, replace(relation.column(name), encode=encoding))]


_NOT_RESIZED = {"bytedict", "runlength", "text255", "text32k"}


def _why_not_resized(relation: Relation, column: Column, kind: DataType) -> str:
    resizable = column.type.name in {"character varying", "binary varying"}
    if not resizable or column.type.name != kind.name:
        return "target data type is not supported"
    if column.encode in _NOT_RESIZED:
        return f"encoding {column.encode} is not supported"
    if column.default is not None:
        return "it has a default value"
    return "it is part of a key" if column.name in relation.key_columns else ""


def _retype(relation: Relation, name: str, kind: DataType) -> list[str]:
    column = relation.column(name)
    if reason := _why_not_resized(relation, column, kind):
        table = relation.name.table
        raise SqlError(UNSUPPORTED, f'cannot alter column "{name}" of relation "{table}", {reason}')
    return [
        _refuse_shorter(relation, column, kind),
        comment_on_column(relation.sql, replace(column, type=kind)),
    ]


def _refuse_shorter(relation: Relation, column: Column, kind: DataType) -> str:
    measure = "strlen" if kind.name == "character varying" else "octet_length"
    size = f"{measure}({quote(column.name)})"
    failure = raise_in_sql(UNSUPPORTED, f"cannot alter column {column.name}: its data is longer")
    return f"select case when max({size}) > {kind.length} then {failure} end from {relation.sql}"  # noqa: S608
