"""COPY from delimited text: reads every value as text first, to be able to show a refused one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tidegate.local.warehouse.catalog.relations import Column, Relation
from tidegate.local.warehouse.files.fitting import fitting_call
from tidegate.local.warehouse.files.objects import S3Object
from tidegate.local.warehouse.language.lexer import literal, quote
from tidegate.local.warehouse.language.options import Options, compression_of

_TEXTUAL = {"character varying", "character"}


@dataclass(frozen=True)
class Refused:
    """A value that does not fit its column."""

    place: S3Object
    line: int
    column: Column
    value: str


def load_csv(
    cursor: "duckdb.DuckDBPyConnection",
    target: Relation,
    columns: Sequence[Column],
    files: Sequence[tuple[S3Object, Path]],
    options: Options,
) -> int:
    """Loads the files; returns their number of rows."""
    names = ", ".join(quote(column.name) for column in columns)
    values = ", ".join(
        fitting_call(column.type, _typed(column, _text(column, index, options)))
        for index, column in enumerate(columns)
    )
    count = 0
    for _, path in files:
        source = _source(path, columns, options)
        insert = f"insert into {target.sql} ({names}) select {values} from {source}"  # noqa: S608
        row = cursor.execute(insert).fetchone()
        count += int(row[0]) if row else 0
    return count


def _source(path: Path, columns: Sequence[Column], options: Options) -> str:
    csv = options.format == "CSV"
    columns_text = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(columns)))
    quoting = literal(options.get("QUOTE", '"')) if csv else "''"
    arguments = {
        "auto_detect": "false",
        "header": "false",
        "null_padding": "false",
        "strict_mode": "true",
        "columns": f"{{{columns_text}}}",
        "delim": literal(options.get("DELIMITER", "," if csv else "|")),
        "quote": quoting,
        "escape": quoting if csv else ("'\\'" if "ESCAPE" in options else "''"),
        "skip": options.get("IGNOREHEADER", "0"),
        # DuckDB must not read any text as NULL; NULL AS is applied afterwards.
        "nullstr": literal("\x01\x01"),
        "compression": literal(compression_of(options)),
    }
    listed = ", ".join(f"{name} = {value}" for name, value in arguments.items())
    return f"read_csv({literal(str(path))}, {listed})"


def _text(column: Column, index: int, options: Options) -> str:
    value = f"nullif(c{index}, {literal(options.get('NULL', chr(92) + 'N'))})"
    if column.type.name not in _TEXTUAL or "EMPTYASNULL" in options:
        value = f"nullif({value}, '')"
    if "TRIMBLANKS" in options:
        value = f"rtrim({value}, ' ')"
    if "TRUNCATECOLUMNS" in options and column.type.name in _TEXTUAL:
        value = f"clip_varchar({value}, {column.type.length})"
    return value


def _typed(column: Column, value: str) -> str:
    if column.type.name == "super":
        return f"json({value})"
    if column.type.name == "binary varying":
        return f"from_hex({value})"
    return value if column.type.name in _TEXTUAL else f"cast({value} as {column.type.duckdb})"


def find_refused(
    cursor: "duckdb.DuckDBPyConnection",
    columns: Sequence[Column],
    files: Sequence[tuple[S3Object, Path]],
    options: Options,
) -> Refused | None:
    """Finds the first value that made a load fail, for sys_load_error_detail."""
    for place, path in files:
        source = _source(path, columns, options)
        for index, column in enumerate(columns):
            query = (
                f"select n, value from (select row_number() over () as n, "  # noqa: S608
                f"{_text(column, index, options)} as value from {source}) "
                f"where value is not null and {_misfit(column)} order by n limit 1"
            )
            if row := cursor.execute(query).fetchone():
                line = row[0] + int(options.get("IGNOREHEADER", "0"))
                return Refused(place, line, column, str(row[1]))
    return None


def _misfit(column: Column) -> str:
    if column.type.name in _TEXTUAL:
        return f"strlen(value) > {column.type.length}"
    if column.type.name == "super":
        return "not json_valid(value)"
    if column.type.name == "binary varying":
        return "not regexp_full_match(value, '([0-9A-Fa-f]{2})*')"
    return f"try_cast(value as {column.type.duckdb}) is null"
