"""The messages of the PostgreSQL wire protocol, version 3.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from tidegate.local.warehouse.language.failures import SqlError
from tidegate.local.warehouse.language.oids import Field

PROTOCOL_3 = 196608
CANCEL_REQUEST = 80877102
SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104
MAX_STARTUP_BYTES = 10_000
MAX_MESSAGE_BYTES = 64 * 1024 * 1024

_INT16 = struct.Struct("!h")
_INT32 = struct.Struct("!i")
_FIELD = struct.Struct("!ihihih")


class ProtocolError(Exception):
    """The peer broke the protocol, or disconnected in the middle of a message."""


class Reader:
    """Reads the fields of one message's body."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def int16(self) -> int:
        """Reads a 16-bit integer."""
        return self._unpack(_INT16)

    def int32(self) -> int:
        """Reads a 32-bit integer."""
        return self._unpack(_INT32)

    def _unpack(self, layout: struct.Struct) -> int:
        try:
            (value,) = layout.unpack_from(self._body, self._at)
        except struct.error as error:
            raise ProtocolError("a message is shorter than its fields") from error
        self._at += layout.size
        return int(value)

    def text(self) -> str:
        """Reads a string that ends with a zero byte."""
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise ProtocolError("a string in a message has no end")
        found = self._body[self._at : end]
        self._at = end + 1
        try:
            return found.decode()
        except UnicodeDecodeError as error:
            raise SqlError("22021", "invalid byte sequence for encoding UTF8") from error

    def take(self, size: int) -> bytes:
        """Reads `size` bytes."""
        found = self._body[self._at : self._at + size]
        if len(found) < size:
            raise ProtocolError("a message is shorter than its fields")
        self._at += size
        return found

    def int16s(self) -> list[int]:
        """Reads a count and as many 16-bit integers."""
        return [self.int16() for _ in range(self.int16())]

    def value(self) -> bytes | None:
        """Reads a length and as many bytes; None for NULL."""
        size = self.int32()
        return None if size < 0 else self.take(size)


def read_exactly(stream: BinaryIO, size: int) -> bytes:
    """Reads `size` bytes; raises ProtocolError if the peer disconnects before."""
    found = stream.read(size)
    if len(found) < size:
        raise ProtocolError("the client closed the connection")
    return found


def read_startup(stream: BinaryIO) -> tuple[int, Reader]:
    """Reads a message before the session starts; returns its request code and body."""
    (size,) = _INT32.unpack(read_exactly(stream, 4))
    if not 8 <= size <= MAX_STARTUP_BYTES:
        raise ProtocolError("invalid length of startup packet")
    reader = Reader(read_exactly(stream, size - 4))
    return reader.int32(), reader


def read_message(stream: BinaryIO) -> tuple[bytes, Reader]:
    """Reads the next message; returns its type and body."""
    head = read_exactly(stream, 5)
    (size,) = _INT32.unpack_from(head, 1)
    if not 4 <= size <= MAX_MESSAGE_BYTES:
        raise ProtocolError("invalid length of message")
    return head[:1], Reader(read_exactly(stream, size - 4))


def message(kind: bytes, body: bytes = b"") -> bytes:
    """Builds a message of this type."""
    return kind + _INT32.pack(len(body) + 4) + body


def text(value: str) -> bytes:
    """Encodes a string that ends with a zero byte."""
    return value.replace("\0", "").encode() + b"\0"


AUTHENTICATION_OK = message(b"R", _INT32.pack(0))
PARSE_COMPLETE = message(b"1")
BIND_COMPLETE = message(b"2")
CLOSE_COMPLETE = message(b"3")
NO_DATA = message(b"n")
PORTAL_SUSPENDED = message(b"s")
EMPTY_QUERY = message(b"I")


def authentication_md5(salt: bytes) -> bytes:
    """Asks for the password, hashed with this salt."""
    return message(b"R", _INT32.pack(5) + salt)


def parameter_statuses(parameters: Mapping[str, str]) -> bytes:
    """Tells the client the server's parameters."""
    return b"".join(message(b"S", text(name) + text(to)) for name, to in parameters.items())


def backend_key(pid: int, secret: int) -> bytes:
    """Tells the client the process id and secret that a CancelRequest must send."""
    return message(b"K", _INT32.pack(pid) + struct.pack("!I", secret))


def ready(status: bytes) -> bytes:
    """Asks the client for the next query; `status` is I idle, T in a block, E in a failed one."""
    return message(b"Z", status)


def command_complete(tag: str) -> bytes:
    """Tells the client that a statement has ended."""
    return message(b"C", text(tag))


def parameter_description(oids: Sequence[int]) -> bytes:
    """Tells the client the types of a prepared statement's parameters."""
    return message(b"t", _INT16.pack(len(oids)) + struct.pack(f"!{len(oids)}i", *oids))


# Redshift's extended result metadata: schema, table, column and catalogue unknown, nullable.
_NO_ORIGIN = b"\0\0\0\0" + _INT16.pack(1)


def row_description(
    fields: Sequence[Field], formats: Sequence[int], *, extended: bool = False
) -> bytes:
    """Describes a result's columns; `extended` adds Redshift's own fields for drivers that ask."""
    parts = [_INT16.pack(len(fields))]
    for field, form in zip(fields, formats, strict=True):
        parts.append(text(field.name))
        parts.append(_FIELD.pack(0, 0, field.oid, field.size, field.modifier, form))
        if extended:
            parts.append(_NO_ORIGIN)
    return message(b"T", b"".join(parts))


def data_row(values: Sequence[bytes | None]) -> bytes:
    """Encodes one row of a result."""
    parts = [_INT16.pack(len(values))]
    for value in values:
        if value is None:
            parts.append(b"\xff\xff\xff\xff")
        else:
            parts.append(_INT32.pack(len(value)))
            parts.append(value)
    return message(b"D", b"".join(parts))


def error_response(error: SqlError) -> bytes:
    """Encodes an error with the fields that Redshift sends."""
    return message(b"E", _notice_fields(error))


def notice_response(notice: SqlError) -> bytes:
    """Encodes a notice or warning."""
    return message(b"N", _notice_fields(notice))


def _notice_fields(error: SqlError) -> bytes:
    return b"".join(_present_fields(error)) + b"\0"


def _present_fields(error: SqlError) -> Iterator[bytes]:
    known = zip(
        "SCMDH",
        (error.severity, error.code, error.message, error.detail, error.hint),
        strict=True,
    )
    for code, value in known:
        if value:
            yield code.encode() + text(value)
