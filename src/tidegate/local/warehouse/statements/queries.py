"""Statements that read or change rows: SELECT, INSERT, UPDATE, DELETE, MERGE, EXPLAIN."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import duckdb
from sqlglot import exp

from tidegate.local.warehouse.catalog.relations import Column
from tidegate.local.warehouse.dialect import dialect
from tidegate.local.warehouse.engine.session import Session
from tidegate.local.warehouse.engine.statement import Outcome, Statement
from tidegate.local.warehouse.files.fitting import fit_insert, fit_merge, fit_update
from tidegate.local.warehouse.language.failures import SYNTAX, SqlError, not_supported_locally
from tidegate.local.warehouse.language.lexer import Name, Words
from tidegate.local.warehouse.language.oids import VARCHAR, Field, Parameter, field_of

ROWS_AT_ONCE = 1024
_UNTYPED = 0


def batches(cursor: "duckdb.DuckDBPyConnection") -> Iterator[list[Any]]:
    """Yields the rows of the cursor's last statement in batches."""
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        yield rows


def _oids(parameters: Sequence[Parameter]) -> tuple[int, ...]:
    return tuple(parameter.oid for parameter in parameters)


def _values(parameters: Sequence[Parameter]) -> list[Any]:
    return [parameter.value for parameter in parameters]


class Query(Statement):
    """SELECT."""

    kind = "SELECT"

    def __init__(self, text: str, database: str) -> None:
        self.text = text
        self._tree = dialect.read(text, database)
        if not isinstance(self._tree, exp.Query):
            raise SqlError(SYNTAX, "syntax error: a query was expected")
        self.parameters = dialect.count_parameters(self._tree)
        self._written: dict[tuple[int, ...], str] = {}

    @cached_property
    def _names(self) -> list[Name]:
        return dialect.tables(self._tree)

    def names(self) -> Sequence[Name]:
        """Returns the tables that it reads."""
        return self._names

    def sql(self, oids: tuple[int, ...] = ()) -> str:
        """Returns the query for DuckDB."""
        if oids not in self._written:
            self._written[oids] = dialect.write(self._tree, oids)
        return self._written[oids]

    def describe(self, session: Session, oids: Sequence[int]) -> Sequence[Field] | None:
        """Lets DuckDB bind the query; this takes the snapshot, as running it does."""
        session.lock_shared(self.names())
        session.publish(self.text)
        known = tuple(oids) or (_UNTYPED,) * self.parameters
        rows = session.read("describe " + self.sql(known), [None] * self.parameters).fetchall()
        return [field_of(row[0], row[1]) for row in rows]

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Starts the query; DuckDB computes rows as you take them."""
        session.lock_shared(self.names())
        session.publish(self.text)
        cursor = session.read(self.sql(_oids(parameters)), _values(parameters))
        fields = [field_of(column[0], str(column[1])) for column in cursor.description]
        return Outcome("SELECT", fields, batches(cursor))


class Change(Statement):
    """INSERT, UPDATE, DELETE or MERGE."""

    _fit: Callable[[Any, Sequence[Column]], None] | None

    def __init__(self, text: str, database: str) -> None:
        self.text = text
        self._tree = dialect.read(text, database)
        self.kind = self._tree.key.upper()
        if self.kind not in _FITTINGS:
            raise SqlError(SYNTAX, f'syntax error at or near "{text.split(maxsplit=1)[0]}"')
        self.parameters = dialect.count_parameters(self._tree)
        self._written: dict[tuple[tuple[Column, ...], tuple[int, ...]], str] = {}

    @property
    def _target(self) -> Name:
        table = self._tree.this.find(exp.Table)
        return Name(table.name, table.db)

    def names(self) -> Sequence[Name]:
        """Returns the target, then the tables that it reads."""
        others = [name for name in dialect.tables(self._tree) if name != self._target]
        return [self._target, *others]

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Changes the rows; counts them for commands whose tag in Redshift has a count."""
        session.lock_shared(self.names())
        session.publish(self.text)
        target = session.catalog.get(self._target)
        if target.view_sql is not None:
            raise SqlError("42809", f'"{target.name.table}" is a view')
        sql = self._sql(target.columns, _oids(parameters))
        with session.transaction.atomic():
            row = session.cursor.execute(sql, _values(parameters)).fetchone()
        count = int(row[0]) if row else 0
        return Outcome(_TAGS[self.kind].format(count))

    def _sql(self, columns: tuple[Column, ...], oids: tuple[int, ...]) -> str:
        if (columns, oids) not in self._written:
            tree = self._tree.copy()
            if fit := _FITTINGS[self.kind]:
                fit(tree, columns)
            self._written[columns, oids] = dialect.write(tree, oids)
        return self._written[columns, oids]


_FITTINGS: dict[str, Callable[[Any, Sequence[Column]], None] | None] = {
    "INSERT": fit_insert,
    "UPDATE": fit_update,
    "DELETE": None,
    "MERGE": fit_merge,
}
# Redshift's tag for MERGE has no row count, so drivers report -1.
_TAGS = {"INSERT": "INSERT 0 {}", "UPDATE": "UPDATE {}", "DELETE": "DELETE {}", "MERGE": "MERGE"}


class Explain(Statement):
    """EXPLAIN of a query: DuckDB's plan, line by line."""

    kind = "EXPLAIN"
    _FIELDS = (Field("QUERY PLAN", VARCHAR),)

    def __init__(self, text: str, query: Query) -> None:
        self.text = text
        self._query = query

    def describe(self, session: Session, oids: Sequence[int]) -> Sequence[Field] | None:
        """One column of text."""
        return self._FIELDS

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Returns DuckDB's plan."""
        session.lock_shared(self._query.names())
        plans = session.read("explain " + self._query.sql(), []).fetchall()
        lines = [(line,) for plan in plans for line in plan[-1].splitlines()]
        return Outcome("EXPLAIN", self._FIELDS, [lines])


def read_query(words: Words, database: str) -> Statement:
    """Reads a SELECT or a query in parentheses."""
    return Query(words.text, database)


def read_with(words: Words, database: str) -> Statement:
    """Reads a query or change that begins with WITH; the dialect refuses WITH before a MERGE."""
    return (Change if _main_verb(words) else Query)(words.text, database)


def _main_verb(words: Words) -> str:
    depth = 0
    for token in words.tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "mark" else 0
        if depth == 0 and token.upper in {"MERGE", "INSERT", "UPDATE", "DELETE"}:
            return token.upper
    return ""


def read_change(words: Words, database: str) -> Statement:
    """Reads an INSERT, UPDATE or DELETE."""
    return Change(words.text, database)


def read_merge(words: Words, database: str) -> Statement:
    """Reads a MERGE."""
    if [token.upper for token in words.tokens[-2:]] == ["REMOVE", "DUPLICATES"]:
        raise not_supported_locally("MERGE … REMOVE DUPLICATES")
    return Change(words.text, database)


def read_explain(words: Words, database: str) -> Statement:
    """Reads an EXPLAIN."""
    text = words.text
    words.accept("VERBOSE")
    return Explain(text, Query(words.rest(), database))
