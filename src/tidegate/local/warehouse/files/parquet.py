"""COPY from Parquet: matches columns by position and requires equal types in file and table.

https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
"""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import duckdb

from tidegate.local.warehouse.catalog.relations import Column, Relation
from tidegate.local.warehouse.files.fitting import fitting_call
from tidegate.local.warehouse.files.objects import S3Object, s3_failure
from tidegate.local.warehouse.language.failures import SqlError, not_supported_locally
from tidegate.local.warehouse.language.lexer import literal, quote

_SPECTRUM = "Spectrum Scan Error"
# The file types that a table's column accepts. Spectrum widens nothing: an int32 does not load into
# a BIGINT, https://github.com/aws/amazon-redshift-python-driver/issues/107
_ACCEPTED = {
    "smallint": {"TINYINT", "SMALLINT", "INTEGER"},
    "integer": {"TINYINT", "SMALLINT", "INTEGER"},
    "bigint": {"BIGINT"},
    "real": {"FLOAT"},
    "double precision": {"DOUBLE"},
    "boolean": {"BOOLEAN"},
    "character varying": {"VARCHAR"},
    "character": {"VARCHAR"},
    "date": {"DATE"},
    "timestamp without time zone": {"TIMESTAMP"},
}

# For each column: its name, DuckDB's type, Parquet's physical type, and the length in bytes of a
# FIXED_LEN_BYTE_ARRAY (None for other types).
Schema = tuple[tuple[str, str, str, int | None], ...]

_PHYSICAL_TYPES = """
select name, type, case type when 'FIXED_LEN_BYTE_ARRAY' then cast(type_length as integer) end
from parquet_schema($1)
"""


def load_parquet(
    cursor: "duckdb.DuckDBPyConnection",
    target: Relation,
    columns: Sequence[Column],
    files: Sequence[tuple[S3Object, Path]],
) -> int:
    """Loads the files; says how many rows they had."""
    schemas = [(_schema(cursor, place, path), place, path) for place, path in files]
    for schema, place, _ in schemas:
        _check(place, schema, columns)
    schemas.sort(key=lambda file: file[0])
    count = 0
    for _, group in groupby(schemas, key=lambda file: file[0]):
        count += _insert(cursor, target, columns, [path for _, _, path in group])
    return count


def _schema(cursor: "duckdb.DuckDBPyConnection", place: S3Object, path: Path) -> Schema:
    try:
        described = cursor.execute(f"describe from read_parquet({literal(str(path))})")
    except (duckdb.InvalidInputException, duckdb.IOException) as error:
        raise s3_failure(_SPECTRUM, 15001, f"File '{place.url}' is not a Parquet file") from error
    columns = [(row[0], row[1]) for row in described.fetchall()]
    listed = cursor.execute(_PHYSICAL_TYPES, [str(path)]).fetchall()
    held_as = {name: (held, length) for name, held, length in listed}
    return tuple((name, kind, *held_as[name]) for name, kind in columns)


def _check(place: S3Object, schema: Schema, columns: Sequence[Column]) -> None:
    if len(schema) != len(columns):
        context = (
            "Unmatched number of columns between table and file. "
            f"Table columns: {len(columns)}, Data columns: {len(schema)}, File name: {place.url}"
        )
        raise s3_failure(_SPECTRUM, 15007, context)
    for column, (name, kind, held, length) in zip(columns, schema, strict=True):
        # Users reported that Redshift loads wrong times from other encodings, without an error:
        # https://github.com/dask/fastparquet/issues/432 and https://github.com/apache/arrow/issues/38000
        if kind.startswith("TIMESTAMP") and held != "INT96":
            raise not_supported_locally(f"COPY of a timestamp that Parquet stores as {held}")
        _check_column(place, column, name, kind, length)


def _check_column(
    place: S3Object, column: Column, name: str, kind: str, length: int | None
) -> None:
    if column.type.name not in _ACCEPTED and column.type.name != "numeric":
        raise not_supported_locally(f"COPY from Parquet into a column of type {column.type.name}")
    if not _agrees(column, kind, length):
        context = (
            f"File '{place.url}' has an incompatible Parquet schema for column "
            f"'{place.url}.{column.name}'. Column type: {column.type.spelled.upper()}, "
            f"Parquet schema: {kind.lower()} {name}"
        )
        raise s3_failure(_SPECTRUM, 15007, context)
    if column.type.name == "numeric" and length != (needed := _bytes_of(column.type.precision)):
        context = (
            f"File '{place.url}' column '{name}' has an invalid type length. "
            f"Expecting: {needed} len in file: {length}"
        )
        raise s3_failure(_SPECTRUM, 15001, context)


def _agrees(column: Column, kind: str, length: int | None) -> bool:
    if column.type.name != "numeric":
        return kind in _ACCEPTED[column.type.name]
    # No source says that Redshift reads decimals that Parquet stores as integers:
    # https://github.com/dask/fastparquet/issues/299
    if not kind.startswith("DECIMAL(") or length is None:
        return False
    return int(kind[8:-1].split(",")[1]) == column.type.scale


def _bytes_of(precision: int | None) -> int:
    """Returns the fewest bytes that hold so many digits; Redshift requires exactly this length.

    https://github.com/G-Research/ParquetSharp/issues/252
    """
    return (int("9" * (precision or 0)).bit_length() + 8) // 8


def _insert(
    cursor: "duckdb.DuckDBPyConnection",
    target: Relation,
    columns: Sequence[Column],
    paths: Sequence[Path],
) -> int:
    listed = ", ".join(literal(str(path)) for path in paths)
    names = [f"c{index}" for index in range(len(columns))]
    values = [
        fitting_call(column.type, quote(name)) for column, name in zip(columns, names, strict=True)
    ]
    row = cursor.execute(
        f"insert into {target.sql} ({', '.join(quote(column.name) for column in columns)}) "  # noqa: S608
        f"select {', '.join(values)} from read_parquet([{listed}]) as f({', '.join(names)})"
    ).fetchone()
    return int(row[0]) if row else 0


def load_refused(error: SqlError, url: str) -> SqlError:
    """Returns the error for a Parquet value that does not fit its column."""
    return s3_failure(_SPECTRUM, 15001, f"{error.message}, in a file of {url}")
