"""Translates DuckDB's errors to Redshift's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from tidegate.local.warehouse.language.failures import INTERNAL, SYNTAX, UNSUPPORTED, SqlError

_CONFLICT = re.compile(
    r"Conflict on (?:update|tuple deletion)|Failed to commit|[Ww]rite-write conflict"
)
_NO_COLUMN = "42703"
_RAISED = re.compile(r"redshift:(\w{5}):(.*)", re.DOTALL)


@dataclass(frozen=True)
class Circumstance:
    """The context of a failure; Redshift names parts of it in its messages."""

    tables: Sequence[str] = ()
    target_oid: int = 0
    pid: int = 0


def serialization_conflict(at: Circumstance) -> SqlError:
    """Returns the error for the second of two conflicting writers.

    SQLSTATE and message carry no information; the text is in the detail:
    https://github.com/aws/aws-sdk-pandas/issues/665
    """
    return SqlError(
        INTERNAL,
        "1023",
        detail=(
            f"Serializable isolation violation on table - {at.target_oid}, "
            f"transactions forming the cycle are: {at.pid} (pid:{at.pid})"
        ),
    )


# DuckDB's message as a pattern, Redshift's SQLSTATE and Redshift's text; the first match counts.
_RULES = [
    (
        r"Catalog write-write|has been altered|has been dropped|Transaction conflict",
        INTERNAL,
        "could not complete because of conflict with concurrent transaction",
    ),
    (
        r"cannot affect the same target row",
        "XX000",
        "Found multiple matches to update the same tuple.",
    ),
    (r"Table with name \"?(.+?)\"? does not exist", "42P01", r'relation "\1" does not exist'),
    (r"View with name \"?([\w.$ -]+?)\"? does not exist", "42P01", r'relation "\1" does not exist'),
    (r"Schema with name \"?([\w.$ -]+?)\"? does not exist", "3F000", r'schema "\1" does not exist'),
    (r"[Ss]chema \"([^\"]+)\" does not exist", "3F000", r'schema "\1" does not exist'),
    (r"Function with name \"?([\w.]+)\"? does not exist", "42883", r"function \1() does not exist"),
    (r"Schema with name \"?([^\"]+?)\"? already exists", "42P06", r'Schema "\1" already exists'),
    (
        r"(?:Table|View) with name \"?([^\"]+?)\"? already exists",
        "42P07",
        r'Relation "\1" already exists',
    ),
    (r"Column with name \"?([^\"]+?)\"? already exists", "42701", r'column "\1" already exists'),
    (r"is of type (\w+), trying to \w+ type (\w+)", "42809", r"it is a \1, not a \2"),
    (
        r"[Rr]eferenced (?:update )?column \"?([^\"\n]+?)\"? (?:was )?not found",
        _NO_COLUMN,
        r'column "\1" does not exist',
    ),
    (
        r"does not have a column (?:named|with name) \"([^\"]+)\"",
        _NO_COLUMN,
        r'column "\1" does not exist',
    ),
    (
        r"Referenced table \"([^\"]+)\" not found",
        "42P01",
        r'missing FROM-clause entry for table "\1"',
    ),
    (
        r"Ambiguous reference to column name \"([^\"]+)\"",
        "42702",
        r'column reference "\1" is ambiguous',
    ),
    (
        r"column \"?([^\"]+)\"? must appear in the GROUP BY",
        "42803",
        r'column "\1" must appear in the GROUP BY clause or be used in an aggregate function',
    ),
    (
        r"columns? but \d+ values were supplied|name/value mismatch|columns available but",
        SYNTAX,
        "INSERT has a different number of expressions than target columns",
    ),
    (
        r"NOT NULL constraint failed: (?:[^\n]*\.)?([^\n.]+)",
        "23502",
        r"Cannot insert a NULL value into column \1",
    ),
    (
        r"Could not convert string '(.*)' to U?INT\d+",
        "22P02",
        r'invalid input syntax for integer: "\1"',
    ),
    (
        r"Could not convert string [\"'](.*)[\"'] to DECIMAL",
        "22P02",
        r'invalid input syntax for type numeric: "\1"',
    ),
    (
        r"Could not convert string '(.*)' to (\w+)",
        "22P02",
        r'invalid input syntax for type \2: "\1"',
    ),
    (
        r"date field value out of range: \"(.*?)\"",
        "22008",
        r'date/time field value out of range: "\1"',
    ),
    (r"invalid (\w+) field format: \"(.*?)\"", "22007", r'invalid input syntax for type \1: "\2"'),
    (r"to DECIMAL|DECIMAL\(\d+,\d+\)", "22003", "Numeric data overflow (result precision)"),
    (r"out of range for the destination type INT(\d+)", "22003", r"Overflow for type int\1"),
    (r"Malformed JSON", "22P02", "Invalid JSON format for input"),
    (
        r"More than one row returned by a subquery",
        "21000",
        "single-row subquery returns more than one row",
    ),
    (
        r"No function matches the given name and argument types '([^']+)'",
        "42883",
        r"function \1 does not exist",
    ),
    (
        r"best candidate function for the function call \"(.+?)\((.*?)\)\"",
        "42883",
        r"operator does not exist: \1(\2)",
    ),
]

_BY_CLASS: list[tuple[type[duckdb.Error], str]] = [
    (duckdb.ParserException, SYNTAX),
    (duckdb.BinderException, "42804"),
    (duckdb.CatalogException, "42704"),
    (duckdb.OutOfRangeException, "22003"),
    (duckdb.ConversionException, "22P02"),
    (duckdb.ConstraintException, "23000"),
    (duckdb.DependencyException, "2BP01"),
    (duckdb.NotImplementedException, UNSUPPORTED),
    (duckdb.OutOfMemoryException, "53200"),
]


def translate(error: "duckdb.Error", at: Circumstance) -> SqlError:
    """Returns the Redshift error for a DuckDB error."""
    text = str(error)
    if raised := _RAISED.search(text):
        return SqlError(raised[1], raised[2].strip())
    if _CONFLICT.search(text):
        return serialization_conflict(at)
    for pattern, code, template in _RULES:
        if found := re.search(pattern, text):
            place = f" in {', '.join(at.tables)}" if code == _NO_COLUMN and at.tables else ""
            return SqlError(code, found.expand(template) + place)
    code = next((code for kind, code in _BY_CLASS if isinstance(error, kind)), INTERNAL)
    return SqlError(code, _first_line(text))


def _first_line(text: str) -> str:
    return re.sub(r"^[\w -]+ Error: ", "", text.split("\n", 1)[0])
