"""Redshift's data types: as DDL writes them, DuckDB stores them and the catalogue reports them."""

from dataclasses import dataclass, replace

from tidegate.local.warehouse.language.failures import (
    SYNTAX,
    UNSUPPORTED,
    SqlError,
    not_supported_locally,
)
from tidegate.local.warehouse.language.lexer import Words

MAX_VARCHAR = 65535
MAX_CHAR = 4096
MAX_VARBYTE = 1024000


@dataclass(frozen=True)
class DataType:
    """A data type; `name` is the type's name in svv_columns."""

    name: str
    duckdb: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None

    @property
    def spelled(self) -> str:
        """The type with its length, as pg_table_def reports it and DDL accepts it."""
        if self.length is not None:
            return f"{self.name}({self.length})"
        if self.name == "numeric":
            return f"numeric({self.precision},{self.scale})"
        return self.name


SMALLINT = DataType("smallint", "SMALLINT", precision=16, scale=0)
INTEGER = DataType("integer", "INTEGER", precision=32, scale=0)
BIGINT = DataType("bigint", "BIGINT", precision=64, scale=0)
REAL = DataType("real", "FLOAT", precision=24)
DOUBLE = DataType("double precision", "DOUBLE", precision=53)
BOOLEAN = DataType("boolean", "BOOLEAN")
CHAR = DataType("character", "VARCHAR", length=1)
VARCHAR = DataType("character varying", "VARCHAR", length=256)
DATE = DataType("date", "DATE")
TIME = DataType("time without time zone", "TIME")
TIMETZ = DataType("time with time zone", "TIMETZ")
TIMESTAMP = DataType("timestamp without time zone", "TIMESTAMP")
TIMESTAMPTZ = DataType("timestamp with time zone", "TIMESTAMPTZ")
SUPER = DataType("super", "JSON")
VARBYTE = DataType("binary varying", "BLOB", length=64000)

_SIMPLE = {
    "smallint": SMALLINT,
    "int2": SMALLINT,
    "integer": INTEGER,
    "int": INTEGER,
    "int4": INTEGER,
    "bigint": BIGINT,
    "int8": BIGINT,
    "real": REAL,
    "float4": REAL,
    "float": DOUBLE,
    "float8": DOUBLE,
    "double": DOUBLE,
    "boolean": BOOLEAN,
    "bool": BOOLEAN,
    "text": VARCHAR,
    "date": DATE,
    "time": TIME,
    "timetz": TIMETZ,
    "timestamp": TIMESTAMP,
    "timestamptz": TIMESTAMPTZ,
    "super": SUPER,
    "bpchar": replace(CHAR, length=256),
}
_SIZED = {
    "char": (CHAR, MAX_CHAR),
    "character": (CHAR, MAX_CHAR),
    "nchar": (CHAR, MAX_CHAR),
    "varchar": (VARCHAR, MAX_VARCHAR),
    "nvarchar": (VARCHAR, MAX_VARCHAR),
    "varbyte": (VARBYTE, MAX_VARBYTE),
    "varbinary": (VARBYTE, MAX_VARBYTE),
}
_DECIMALS = {"decimal", "numeric", "dec"}
_ABSENT_LOCALLY = {"geometry", "geography", "hllsketch", "interval"}


def read_type(words: Words) -> DataType:
    """Reads the next type in DDL."""
    written = words.identifier()
    found = _read_known(written, words)
    if words.peek() in {"[", "ARRAY"}:
        raise SqlError(UNSUPPORTED, f'Column has unsupported type "{written}[]"')
    return found


def _read_known(written: str, words: Words) -> DataType:
    if written in {"character", "char", "binary"} and words.accept("VARYING"):
        written = "varbyte" if written == "binary" else "varchar"
    if written in _DECIMALS:
        return _read_decimal(words)
    if written in _SIZED:
        return _read_sized(*_SIZED[written], words)
    if written in _ABSENT_LOCALLY:
        raise not_supported_locally(f"type {written}")
    if written not in _SIMPLE:
        raise SqlError("42704", f'type "{written}" does not exist')
    return _read_suffix(_SIMPLE[written], words)


def _read_suffix(found: DataType, words: Words) -> DataType:
    if found is DOUBLE:
        words.accept("PRECISION")
        if words.accept("("):
            found = REAL if words.number() < 25 else DOUBLE
            words.expect(")")
    if found in {TIME, TIMESTAMP}:
        if words.accept("WITH", "TIME", "ZONE"):
            return TIMETZ if found is TIME else TIMESTAMPTZ
        words.accept("WITHOUT", "TIME", "ZONE")
    return found


def _read_sized(found: DataType, most: int, words: Words) -> DataType:
    if not words.accept("("):
        return found
    length = most if words.accept("MAX") else words.number()
    words.expect(")")
    if length < 1:
        raise SqlError("22023", f"length for type {found.name} must be at least 1")
    if length > most:
        raise SqlError("22023", f"length for type {found.name} cannot exceed {most}")
    return replace(found, length=length)


def _read_decimal(words: Words) -> DataType:
    precision, scale = 18, 0
    if words.accept("("):
        precision = words.number()
        scale = words.number() if words.accept(",") else 0
        words.expect(")")
    if not 1 <= precision <= 38:
        raise SqlError("22023", f"DECIMAL precision {precision} must be between 1 and 38")
    if not 0 <= scale <= min(precision, 37):
        raise SqlError("22023", f"DECIMAL scale {scale} must be between 0 and {min(precision, 37)}")
    return decimal(precision, scale)


def decimal(precision: int, scale: int) -> DataType:
    """Returns the numeric type with this precision and scale."""
    return DataType("numeric", f"DECIMAL({precision},{scale})", precision=precision, scale=scale)


def parse_type(written: str) -> DataType:
    """Parses a text that holds only a type."""
    words = Words(written)
    found = read_type(words)
    if not words.done:
        raise SqlError(SYNTAX, f'syntax error in type "{written}"')
    return found


_OF_DUCKDB = {
    "TINYINT": SMALLINT,
    "UTINYINT": SMALLINT,
    "USMALLINT": INTEGER,
    "UINTEGER": BIGINT,
    "UBIGINT": decimal(20, 0),
    "HUGEINT": decimal(38, 0),
    "TIMESTAMP WITH TIME ZONE": TIMESTAMPTZ,
    "TIME WITH TIME ZONE": TIMETZ,
    "VARCHAR": replace(VARCHAR, length=MAX_VARCHAR),
    "BLOB": replace(VARBYTE, length=MAX_VARBYTE),
} | {
    known.duckdb: known
    for known in (SMALLINT, INTEGER, BIGINT, REAL, DOUBLE, BOOLEAN, DATE, TIME, TIMESTAMP, SUPER)
}


def type_of_duckdb(written: str) -> DataType:
    """Returns the Redshift type of a DuckDB column that has no stored Redshift type."""
    if written.startswith("DECIMAL("):
        precision, scale = written[8:-1].split(",")
        return decimal(int(precision), int(scale))
    return _OF_DUCKDB.get(written, _OF_DUCKDB["VARCHAR"])
