"""Starts a connection: agrees on TLS, checks the password, sends the server's parameters."""

import hashlib
import hmac
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from tidegate.local.warehouse.language.failures import SqlError
from tidegate.local.warehouse.protocol import messages as wire

# Values of redshift_connector's client_protocol_version: 1 adds the origin of each column, 2 also
# sends numbers and dates in binary. https://github.com/aws/amazon-redshift-python-driver
BASE_PROTOCOL, EXTENDED_METADATA, BINARY_PROTOCOL = 0, 1, 2
# The first message of a client: its length and a request code.
_REQUEST = struct.Struct("!ii")


Send = Callable[[bytes], None]


@dataclass(frozen=True)
class Credentials:
    """The user and password that may connect, and the database."""

    database: str
    user: str
    password: str


@dataclass(frozen=True)
class Startup:
    """The startup parameters of an authenticated client."""

    user: str
    application: str
    protocol: int = BASE_PROTOCOL


@dataclass(frozen=True)
class CancelRequest:
    """A request to cancel another session's statement."""

    pid: int
    secret: int


def agree_on_tls(client: socket.socket) -> bool:
    """Answer a client's encryption requests; return whether the client starts TLS now."""
    while (asked := _look_at_request(client)) in {wire.SSL_REQUEST, wire.GSSENC_REQUEST}:
        client.recv(_REQUEST.size, socket.MSG_WAITALL)
        client.sendall(b"S" if asked == wire.SSL_REQUEST else b"N")
        if asked == wire.SSL_REQUEST:
            return True
    return False


def _look_at_request(client: socket.socket) -> int | None:
    # MSG_PEEK, not a buffered read: a buffer could swallow the first bytes of TLS.
    seen = client.recv(_REQUEST.size, socket.MSG_PEEK | socket.MSG_WAITALL)
    return int(_REQUEST.unpack(seen)[1]) if len(seen) == _REQUEST.size else None


def greet(stream_in: BinaryIO, send: Send, known: Credentials) -> Startup | CancelRequest:
    """Authenticates a client; raises the error to send if the client may not connect."""
    code, body = wire.read_startup(stream_in)
    if code == wire.CANCEL_REQUEST:
        return CancelRequest(body.int32(), body.int32() & 0xFFFFFFFF)
    if code != wire.PROTOCOL_3:
        raise _fatal("0A000", f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}")
    told = _read_parameters(body)
    _check_password(stream_in, send, told, known)
    if told.get("database", known.user) != known.database:
        raise _fatal("3D000", f'database "{told.get("database", "")}" does not exist')
    return Startup(known.user, told.get("application_name", ""), _protocol(told))


def _protocol(told: dict[str, str]) -> int:
    asked = told.get("client_protocol_version", "")
    known = {str(version): version for version in (EXTENDED_METADATA, BINARY_PROTOCOL)}
    return known.get(asked, BASE_PROTOCOL)


def _fatal(code: str, message: str) -> SqlError:
    return SqlError(code, message, severity="FATAL")


def _read_parameters(body: wire.Reader) -> dict[str, str]:
    told = {}
    while name := body.text():
        told[name] = body.text()
    return told


def _check_password(
    stream_in: BinaryIO, send: Send, told: dict[str, str], known: Credentials
) -> None:
    salt = os.urandom(4)
    send(wire.authentication_md5(salt))
    kind, body = wire.read_message(stream_in)
    if kind != b"p":
        raise wire.ProtocolError(f"a password was expected, not a message of type {kind!r}")
    user = told.get("user", "")
    expected = md5_password(known.user, known.password, salt)
    if user != known.user or not hmac.compare_digest(body.text().encode(), expected.encode()):
        raise _fatal("28000", f'password authentication failed for user "{user}"')


def md5_password(user: str, password: str, salt: bytes) -> str:
    """Returns the correct answer to AuthenticationMD5Password."""
    inner = hashlib.md5((password + user).encode(), usedforsecurity=False).hexdigest()
    return "md5" + hashlib.md5(inner.encode() + salt, usedforsecurity=False).hexdigest()


def welcome(startup: Startup, pid: int, secret: int) -> bytes:
    """Returns the messages before the first ReadyForQuery.

    Drivers parse `server_version`. Redshift sends the version of PostgreSQL that it came from.
    """
    parameters = {
        "server_version": "8.0.2",
        "server_encoding": "UNICODE",
        "client_encoding": "UTF8",
        "DateStyle": "ISO, MDY",
        "TimeZone": "UTC",
        "integer_datetimes": "on",
        "is_superuser": "on",
        "session_authorization": startup.user,
        "max_numeric_precision": "38",
        "max_varchar_size": "65535",
    }
    if startup.protocol:
        parameters["server_protocol_version"] = str(startup.protocol)
    return (
        wire.AUTHENTICATION_OK + wire.parameter_statuses(parameters) + wire.backend_key(pid, secret)
    )
