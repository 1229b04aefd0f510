"""Object identifiers (OIDs) of types; result columns and parameters carry one each."""

from dataclasses import dataclass
from typing import Any

# Any value that DuckDB returns for a column or accepts for a parameter.
Value = Any

BOOLEAN, BIGINT, SMALLINT, INTEGER = 16, 20, 21, 23
TEXT, REAL, DOUBLE, UNKNOWN = 25, 700, 701, 705
BPCHAR, VARCHAR, DATE, TIME = 1042, 1043, 1082, 1083
TIMESTAMP, TIMESTAMPTZ, TIMETZ = 1114, 1184, 1266
NUMERIC, SUPER, VARBYTE = 1700, 4000, 6551


@dataclass(frozen=True)
class Field:
    """A result column as RowDescription describes it."""

    name: str
    oid: int
    size: int = -1
    modifier: int = -1


_OIDS = {
    "BOOLEAN": (BOOLEAN, 1),
    "TINYINT": (SMALLINT, 2),
    "UTINYINT": (SMALLINT, 2),
    "SMALLINT": (SMALLINT, 2),
    "USMALLINT": (INTEGER, 4),
    "INTEGER": (INTEGER, 4),
    "UINTEGER": (BIGINT, 8),
    "BIGINT": (BIGINT, 8),
    "FLOAT": (REAL, 4),
    "DOUBLE": (DOUBLE, 8),
    "DATE": (DATE, 4),
    "TIME": (TIME, 8),
    "TIME WITH TIME ZONE": (TIMETZ, 12),
    "TIMESTAMP": (TIMESTAMP, 8),
    "TIMESTAMP_MS": (TIMESTAMP, 8),
    "TIMESTAMP_S": (TIMESTAMP, 8),
    "TIMESTAMP_NS": (TIMESTAMP, 8),
    "TIMESTAMP WITH TIME ZONE": (TIMESTAMPTZ, 8),
    "JSON": (SUPER, -1),
    "BLOB": (VARBYTE, -1),
    "HUGEINT": (NUMERIC, -1),
    "UBIGINT": (NUMERIC, -1),
    "UHUGEINT": (NUMERIC, -1),
}
_NUMERIC_38_0 = (38 << 16) + 4


def field_of(name: str, duckdb_type: str) -> Field:
    """Returns the description of a column with this DuckDB type."""
    if duckdb_type.startswith("DECIMAL("):
        precision, scale = map(int, duckdb_type[8:-1].split(","))
        return Field(name, NUMERIC, -1, (precision << 16 | scale) + 4)
    oid, size = _OIDS.get(duckdb_type, (VARCHAR, -1))
    return Field(name, oid, size, _NUMERIC_38_0 if oid == NUMERIC else -1)


_CASTS = {
    BOOLEAN: "BOOLEAN",
    SMALLINT: "SMALLINT",
    INTEGER: "INTEGER",
    BIGINT: "BIGINT",
    REAL: "FLOAT",
    DOUBLE: "DOUBLE",
    TEXT: "VARCHAR",
    VARCHAR: "VARCHAR",
    DATE: "DATE",
    TIME: "TIME",
    TIMESTAMP: "TIMESTAMP",
    TIMESTAMPTZ: "TIMESTAMPTZ",
}


def cast_of(oid: int) -> str | None:
    """Returns a parameter's DuckDB type; None if the statement decides the type."""
    return _CASTS.get(oid)


@dataclass(frozen=True)
class Parameter:
    """A parameter that the client has bound: its value and type."""

    value: Value
    oid: int
