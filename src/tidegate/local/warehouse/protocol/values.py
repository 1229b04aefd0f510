"""Values on the wire: object identifiers of types, and text and binary forms both ways."""

import datetime as dt
import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tidegate.local.warehouse.language.failures import UNSUPPORTED, SqlError
from tidegate.local.warehouse.protocol.messages import Field, ProtocolError
from tidegate.local.warehouse.protocol.numerics import (
    binary_numeric,
    numeric_of_binary,
    scaled_numeric,
)

# Whatever DuckDB gives for a column, or takes for a parameter.
Value = Any

TEXT_FORMAT = 0
BINARY_FORMAT = 1

BOOLEAN, BIGINT, SMALLINT, INTEGER = 16, 20, 21, 23
TEXT, REAL, DOUBLE, UNKNOWN = 25, 700, 701, 705
BPCHAR, VARCHAR, DATE, TIME = 1042, 1043, 1082, 1083
TIMESTAMP, TIMESTAMPTZ, TIMETZ = 1114, 1184, 1266
NUMERIC, SUPER, VARBYTE = 1700, 4000, 6551

_EPOCH = dt.datetime(2000, 1, 1)
_EPOCH_UTC = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_EPOCH_DATE = dt.date(2000, 1, 1)
_MICROSECOND = dt.timedelta(microseconds=1)

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
    """How a column of this DuckDB type is described to a client."""
    if duckdb_type.startswith("DECIMAL("):
        precision, scale = map(int, duckdb_type[8:-1].split(","))
        return Field(name, NUMERIC, -1, (precision << 16 | scale) + 4)
    oid, size = _OIDS.get(duckdb_type, (VARCHAR, -1))
    return Field(name, oid, size, _NUMERIC_38_0 if oid == NUMERIC else -1)


def as_text(value: Value) -> bytes:
    """The text form of any value."""
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, bytes):
        return value.hex().encode()
    if isinstance(value, dt.datetime):
        return _datetime_text(value).encode()
    if isinstance(value, dt.time):
        return value.isoformat().removesuffix(":00" if value.tzinfo else "\0").encode()
    if isinstance(value, Decimal):
        return format(value, "f").encode()
    return str(value).encode()


def _datetime_text(value: dt.datetime) -> str:
    written = value.replace(tzinfo=None).isoformat(" ")
    written = written.rstrip("0") if value.microsecond else written
    return f"{written}+00" if value.tzinfo else written


def _microseconds(value: dt.time) -> int:
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond


def _zone_west(value: dt.time) -> int:
    offset = value.utcoffset() or dt.timedelta()
    return -int(offset.total_seconds())


_ENCODERS: dict[int, Callable[[Value], bytes]] = {
    BOOLEAN: lambda value: b"\x01" if value else b"\x00",
    SMALLINT: struct.Struct("!h").pack,
    INTEGER: struct.Struct("!i").pack,
    BIGINT: struct.Struct("!q").pack,
    REAL: struct.Struct("!f").pack,
    DOUBLE: struct.Struct("!d").pack,
    DATE: lambda value: struct.pack("!i", (value - _EPOCH_DATE).days),
    TIME: lambda value: struct.pack("!q", _microseconds(value)),
    TIMETZ: lambda value: struct.pack("!qi", _microseconds(value), _zone_west(value)),
    TIMESTAMP: lambda value: struct.pack("!q", (value - _EPOCH) // _MICROSECOND),
    TIMESTAMPTZ: lambda value: struct.pack("!q", (value - _EPOCH_UTC) // _MICROSECOND),
    NUMERIC: binary_numeric,
    VARBYTE: bytes,
}


def encoder(field: Field, form: int, *, scaled: bool) -> Callable[[Value], bytes]:
    """What turns a column's values into bytes; `scaled` is for Redshift's own binary numbers."""
    if form != BINARY_FORMAT:
        return as_text
    if field.oid == NUMERIC and scaled:
        scale = (field.modifier - 4) & 0xFFFF
        return lambda value: scaled_numeric(value, scale)
    return _ENCODERS.get(field.oid, as_text)


def _timestamp(raw: bytes) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=struct.unpack("!q", raw)[0])


def _timestamptz(raw: bytes) -> dt.datetime:
    return _EPOCH_UTC + dt.timedelta(microseconds=struct.unpack("!q", raw)[0])


_DECODERS: dict[int, Callable[[bytes], Value]] = {
    BOOLEAN: lambda raw: raw != b"\x00",
    SMALLINT: lambda raw: struct.unpack("!h", raw)[0],
    INTEGER: lambda raw: struct.unpack("!i", raw)[0],
    BIGINT: lambda raw: struct.unpack("!q", raw)[0],
    REAL: lambda raw: struct.unpack("!f", raw)[0],
    DOUBLE: lambda raw: struct.unpack("!d", raw)[0],
    DATE: lambda raw: _EPOCH_DATE + dt.timedelta(days=struct.unpack("!i", raw)[0]),
    TIMESTAMP: _timestamp,
    TIMESTAMPTZ: _timestamptz,
    NUMERIC: numeric_of_binary,
    VARBYTE: bytes,
}
_TEXTUAL = {0, TEXT, VARCHAR, BPCHAR, UNKNOWN, SUPER}


def decode(raw: bytes, oid: int, form: int) -> Value:
    """A parameter's value."""
    try:
        if form == BINARY_FORMAT and oid not in _TEXTUAL:
            return _DECODERS[oid](raw)
        written = raw.decode()
        return Decimal(written) if oid == NUMERIC else written
    except KeyError:
        raise SqlError(UNSUPPORTED, f"binary parameters of type {oid} are not supported") from None
    except (struct.error, ArithmeticError, ValueError) as error:
        raise ProtocolError(f"a parameter of type {oid} is malformed") from error


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
    """The DuckDB type of a parameter; none where the statement is left to say it."""
    return _CASTS.get(oid)


@dataclass(frozen=True)
class Parameter:
    """A parameter as the client bound it."""

    value: Value
    oid: int
