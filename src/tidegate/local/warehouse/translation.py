"""DuckDB's errors put into Redshift's words."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb

from tidegate.local.warehouse.failures import INTERNAL, SYNTAX, UNSUPPORTED, SqlError

_RAISED = re.compile(r"redshift:(\w{5}):(.*)", re.DOTALL)


@dataclass(frozen=True)
class Circumstance:
    """What was running when DuckDB failed; Redshift names some of it in its messages."""

    tables: Sequence[str] = ()
    target_oid: int = 0
    pid: int = 0


def serialization_conflict(at: Circumstance) -> SqlError:
    """The error of the second of two conflicting writers.

    SQLSTATE and message say nothing; the text is in the detail, as seen in
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


def _no_column(found: re.Match[str], at: Circumstance) -> SqlError:
    place = f" in {', '.join(at.tables)}" if at.tables else ""
    return SqlError("42703", f'column "{found[1]}" does not exist{place}')


def _plain(code: str, template: str) -> Callable[[re.Match[str], Circumstance], SqlError]:
    return lambda found, at: SqlError(code, found.expand(template))


def _conflict(found: re.Match[str], at: Circumstance) -> SqlError:
    return serialization_conflict(at)


_RULES: list[tuple[str, Callable[[re.Match[str], Circumstance], SqlError]]] = [
    (r"Conflict on (?:update|tuple deletion)|Failed to commit|[Ww]rite-write conflict", _conflict),
    (
        r"Catalog write-write|has been altered|has been dropped|Transaction conflict",
        _plain(INTERNAL, "could not complete because of conflict with concurrent transaction"),
    ),
    (
        r"cannot affect the same target row",
        _plain("XX000", "Found multiple matches to update the same tuple."),
    ),
    (
        r"Table with name \"?(.+?)\"? does not exist",
        _plain("42P01", r'relation "\1" does not exist'),
    ),
    (
        r"View with name \"?([\w.$ -]+?)\"? does not exist",
        _plain("42P01", r'relation "\1" does not exist'),
    ),
    (
        r"Schema with name \"?([\w.$ -]+?)\"? does not exist",
        _plain("3F000", r'schema "\1" does not exist'),
    ),
    (r"[Ss]chema \"([^\"]+)\" does not exist", _plain("3F000", r'schema "\1" does not exist')),
    (
        r"Function with name \"?([\w.]+)\"? does not exist",
        _plain("42883", r"function \1() does not exist"),
    ),
    (
        r"Schema with name \"?([^\"]+?)\"? already exists",
        _plain("42P06", r'Schema "\1" already exists'),
    ),
    (
        r"(?:Table|View) with name \"?([^\"]+?)\"? already exists",
        _plain("42P07", r'Relation "\1" already exists'),
    ),
    (
        r"Column with name \"?([^\"]+?)\"? already exists",
        _plain("42701", r'column "\1" already exists'),
    ),
    (r"is of type (\w+), trying to \w+ type (\w+)", _plain("42809", r"it is a \1, not a \2")),
    (r"[Rr]eferenced (?:update )?column \"?([^\"\n]+?)\"? (?:was )?not found", _no_column),
    (r"does not have a column (?:named|with name) \"([^\"]+)\"", _no_column),
    (
        r"Referenced table \"([^\"]+)\" not found",
        _plain("42P01", r'missing FROM-clause entry for table "\1"'),
    ),
    (
        r"Ambiguous reference to column name \"([^\"]+)\"",
        _plain("42702", r'column reference "\1" is ambiguous'),
    ),
    (
        r"column \"?([^\"]+)\"? must appear in the GROUP BY",
        _plain(
            "42803",
            r'column "\1" must appear in the GROUP BY clause or be used in an aggregate function',
        ),
    ),
    (
        r"columns? but \d+ values were supplied|name/value mismatch|columns available but",
        _plain(SYNTAX, "INSERT has a different number of expressions than target columns"),
    ),
    (
        r"NOT NULL constraint failed: (?:[^\n]*\.)?([^\n.]+)",
        _plain("23502", r"Cannot insert a NULL value into column \1"),
    ),
    (
        r"Could not convert string '(.*)' to U?INT\d+",
        _plain("22P02", r'invalid input syntax for integer: "\1"'),
    ),
    (
        r"Could not convert string [\"'](.*)[\"'] to DECIMAL",
        _plain("22P02", r'invalid input syntax for type numeric: "\1"'),
    ),
    (
        r"Could not convert string '(.*)' to (\w+)",
        _plain("22P02", r'invalid input syntax for type \2: "\1"'),
    ),
    (
        r"date field value out of range: \"(.*?)\"",
        _plain("22008", r'date/time field value out of range: "\1"'),
    ),
    (
        r"invalid (\w+) field format: \"(.*?)\"",
        _plain("22007", r'invalid input syntax for type \1: "\2"'),
    ),
    (r"to DECIMAL|DECIMAL\(\d+,\d+\)", _plain("22003", "Numeric data overflow (result precision)")),
    (
        r"out of range for the destination type INT(\d+)",
        _plain("22003", r"Overflow for type int\1"),
    ),
    (r"Malformed JSON", _plain("22P02", "Invalid JSON format for input")),
    (
        r"More than one row returned by a subquery",
        _plain("21000", "single-row subquery returns more than one row"),
    ),
    (
        r"No function matches the given name and argument types '([^']+)'",
        _plain("42883", r"function \1 does not exist"),
    ),
    (
        r"best candidate function for the function call \"(.+?)\((.*?)\)\"",
        _plain("42883", r"operator does not exist: \1(\2)"),
    ),
]

_RULES_COMPILED = [(re.compile(pattern), build) for pattern, build in _RULES]

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


def translate(error: duckdb.Error, at: Circumstance) -> SqlError:
    """The Redshift error that says what DuckDB's error says."""
    text = str(error)
    if raised := _RAISED.search(text):
        return SqlError(raised[1], raised[2].strip())
    for pattern, build in _RULES_COMPILED:
        if found := pattern.search(text):
            return build(found, at)
    code = next((code for kind, code in _BY_CLASS if isinstance(error, kind)), INTERNAL)
    return SqlError(code, _first_line(text))


def _first_line(text: str) -> str:
    return re.sub(r"^[\w -]+ Error: ", "", text.split("\n", 1)[0])
