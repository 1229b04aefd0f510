"""Encodes and decodes values in the wire's text and binary formats."""

import datetime as dt
import struct
from collections.abc import Callable
from decimal import Decimal

from tidegate.local.warehouse.language import oids
from tidegate.local.warehouse.language.failures import UNSUPPORTED, SqlError
from tidegate.local.warehouse.language.oids import Field, Value
from tidegate.local.warehouse.protocol.messages import ProtocolError
from tidegate.local.warehouse.protocol.numerics import (
    binary_numeric,
    numeric_of_binary,
    scaled_numeric,
)

TEXT_FORMAT = 0
BINARY_FORMAT = 1

_EPOCH = dt.datetime(2000, 1, 1)
_EPOCH_UTC = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_EPOCH_DATE = dt.date(2000, 1, 1)
_MICROSECOND = dt.timedelta(microseconds=1)


def as_text(value: Value) -> bytes:
    """Encodes any value as text."""
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
    oids.BOOLEAN: lambda value: b"\x01" if value else b"\x00",
    oids.SMALLINT: struct.Struct("!h").pack,
    oids.INTEGER: struct.Struct("!i").pack,
    oids.BIGINT: struct.Struct("!q").pack,
    oids.REAL: struct.Struct("!f").pack,
    oids.DOUBLE: struct.Struct("!d").pack,
    oids.DATE: lambda value: struct.pack("!i", (value - _EPOCH_DATE).days),
    oids.TIME: lambda value: struct.pack("!q", _microseconds(value)),
    oids.TIMETZ: lambda value: struct.pack("!qi", _microseconds(value), _zone_west(value)),
    oids.TIMESTAMP: lambda value: struct.pack("!q", (value - _EPOCH) // _MICROSECOND),
    oids.TIMESTAMPTZ: lambda value: struct.pack("!q", (value - _EPOCH_UTC) // _MICROSECOND),
    oids.NUMERIC: binary_numeric,
    oids.VARBYTE: bytes,
}


def encoder(field: Field, form: int, *, scaled: bool) -> Callable[[Value], bytes]:
    """Returns the encoder of a column's values; `scaled` selects Redshift's binary numbers."""
    if form != BINARY_FORMAT:
        return as_text
    if field.oid == oids.NUMERIC and scaled:
        scale = (field.modifier - 4) & 0xFFFF
        return lambda value: scaled_numeric(value, scale)
    return _ENCODERS.get(field.oid, as_text)


def _timestamp(raw: bytes) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=struct.unpack("!q", raw)[0])


def _timestamptz(raw: bytes) -> dt.datetime:
    return _EPOCH_UTC + dt.timedelta(microseconds=struct.unpack("!q", raw)[0])


_DECODERS: dict[int, Callable[[bytes], Value]] = {
    oids.BOOLEAN: lambda raw: raw != b"\x00",
    oids.SMALLINT: lambda raw: struct.unpack("!h", raw)[0],
    oids.INTEGER: lambda raw: struct.unpack("!i", raw)[0],
    oids.BIGINT: lambda raw: struct.unpack("!q", raw)[0],
    oids.REAL: lambda raw: struct.unpack("!f", raw)[0],
    oids.DOUBLE: lambda raw: struct.unpack("!d", raw)[0],
    oids.DATE: lambda raw: _EPOCH_DATE + dt.timedelta(days=struct.unpack("!i", raw)[0]),
    oids.TIMESTAMP: _timestamp,
    oids.TIMESTAMPTZ: _timestamptz,
    oids.NUMERIC: numeric_of_binary,
    oids.VARBYTE: bytes,
}
_TEXTUAL = {0, oids.TEXT, oids.VARCHAR, oids.BPCHAR, oids.UNKNOWN, oids.SUPER}


def decode(raw: bytes, oid: int, form: int) -> Value:
    """Decodes a parameter's value."""
    try:
        if form == BINARY_FORMAT and oid not in _TEXTUAL:
            return _DECODERS[oid](raw)
        written = raw.decode()
        return Decimal(written) if oid == oids.NUMERIC else written
    except KeyError:
        raise SqlError(UNSUPPORTED, f"binary parameters of type {oid} are not supported") from None
    except (struct.error, ArithmeticError, ValueError) as error:
        raise ProtocolError(f"a parameter of type {oid} is malformed") from error
