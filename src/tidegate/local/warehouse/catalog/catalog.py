"""Looks up tables and views, and caches them until a session changes the catalogue."""

import json
import threading
from collections.abc import Callable
from typing import Any

import duckdb

from tidegate.local.warehouse.catalog.relations import DATABASE, DEFAULT_SCHEMA, Column, Relation
from tidegate.local.warehouse.language.datatypes import parse_type, type_of_duckdb
from tidegate.local.warehouse.language.failures import SqlError
from tidegate.local.warehouse.language.lexer import Name

_TABLE = f"""
select table_oid, comment, null as sql, database_name = 'temp' as temporary
from duckdb_tables()
where table_name = $1 and ((database_name = 'temp' and $2)
    or (database_name = '{DATABASE}' and schema_name = $3))
order by temporary desc
"""  # noqa: S608 - the database's name is a constant
_VIEW = f"""
select view_oid, null as comment, sql, false as temporary
from duckdb_views()
where view_name = $1 and $2 is not null and database_name = '{DATABASE}' and schema_name = $3
"""  # noqa: S608 - the database's name is a constant
_COLUMNS = """
select column_name, data_type, is_nullable, column_default, comment
from duckdb_columns()
where table_oid = $1 and database_name = $2
order by column_index
"""


def _column(
    name: str, kind: str, nullable: bool, default: str | None, comment: str | None
) -> Column:
    kept = json.loads(comment or "{}")
    known = parse_type(kept["spelled"]) if "spelled" in kept else type_of_duckdb(kind)
    return Column(name, known, nullable, default, kept.get("encode"), kept.get("remark"))


class CommittedCatalog:
    """A cache of committed tables and views for all sessions; a catalogue change empties it.

    To find one table, DuckDB reads its whole catalogue: columns and comments of all tables.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._found: dict[tuple[int, Name], Relation | None] = {}
        self.version = 0

    def invalidate(self) -> None:
        """Empty the cache: a session has committed a change of the catalogue."""
        with self._guard:
            self.version += 1
            self._found.clear()

    def find(self, name: Name, look_up: Callable[[Name], Relation | None]) -> Relation | None:
        """Return the cached relation `name`, or look it up with `look_up` and cache it."""
        known = (self.version, name)
        try:
            return self._found[known]
        except KeyError:
            # If a session changes the relation meanwhile, the version differs: no key finds this.
            self._found[known] = found = look_up(name)
            return found


class Catalog:
    """One session's view of the catalogue, cached until any session changes the catalogue."""

    def __init__(
        self,
        cursor: "duckdb.DuckDBPyConnection",
        committed: CommittedCatalog,
        is_current: Callable[[], bool],
    ) -> None:
        self._cursor = cursor
        self._committed = committed
        self._is_current = is_current
        self._seen = -1
        self._relations: dict[Name, Relation | None] = {}

    def forget(self, made: Name | None = None) -> None:
        """Forgets all cached relations, or only those that share the name of `made`."""
        if made is None:
            self._seen = -1
            return
        known = self._relations.items()
        self._relations = {name: found for name, found in known if name.table != made.table}

    def find(self, name: Name) -> Relation | None:
        """Returns the table or view with this name, or None; a temporary table comes first."""
        if self._seen != (version := self._committed.version):
            self._relations.clear()
            self._seen = version
        if name not in self._relations:
            self._relations[name] = self._find(name)
        return self._relations[name]

    def _find(self, name: Name) -> Relation | None:
        # Only its own session sees a temporary table, under a name without schema.
        if name.schema and self._is_current():
            return self._committed.find(name, self._look_up)
        return self._look_up(name)

    def get(self, name: Name) -> Relation:
        """Returns the table or view with this name; raises 42P01 if there is none."""
        if found := self.find(name):
            return found
        raise SqlError("42P01", f'relation "{name}" does not exist')

    def _look_up(self, name: Name) -> Relation | None:
        schema = name.schema or DEFAULT_SCHEMA
        wanted = [name.table, not name.schema, schema]
        row = self._row(_TABLE, wanted) or self._row(_VIEW, wanted)
        if row is None:
            return None
        oid, comment, view_sql, temporary = row
        described = self._cursor.execute(_COLUMNS, [oid, "temp" if temporary else DATABASE])
        columns = tuple(_column(*column) for column in described.fetchall())
        kept = json.loads(comment or "{}")
        return Relation(Name(name.table, schema), oid, temporary, columns, kept, view_sql)

    def _row(self, query: str, values: list[Any]) -> tuple[Any, ...] | None:
        return self._cursor.execute(query, values).fetchone()
