"""TLS as plain sockets: what a proxy that reads the protocol needs on both of its sides."""

import contextlib
import selectors
import socket
import ssl
import struct
import threading
from dataclasses import dataclass
from pathlib import Path

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_PIECE = 1 << 16


@dataclass(frozen=True)
class Tls:
    """How to be the warehouse of a local stack, and how to trust it."""

    folder: Path

    @classmethod
    def of(cls, variables: dict[str, str]) -> "Tls":
        """That of the stack with these variables."""
        return cls(Path(variables["PGSSLROOTCERT"]).parent)

    def accept(self, client: socket.socket) -> socket.socket:
        """What `client` says and hears, who asks for TLS first."""
        if client.recv(len(SSL_REQUEST), socket.MSG_WAITALL) != SSL_REQUEST:
            raise ConnectionError("the client went, or did not ask for TLS")
        client.sendall(b"S")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem")
        return _as_plain(context.wrap_socket(client, server_side=True))

    def connect(self, port: int) -> socket.socket:
        """A connection to the warehouse."""
        server = socket.create_connection(("127.0.0.1", port))
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.sendall(SSL_REQUEST)
        if server.recv(1) != b"S":
            raise ConnectionError("the warehouse went, or does not speak TLS")
        context = ssl.create_default_context(cafile=self.folder / "authority.pem")
        return _as_plain(context.wrap_socket(server, server_hostname="127.0.0.1"))


def _as_plain(encrypted: ssl.SSLSocket) -> socket.socket:
    """The plain side of `encrypted`, which one thread alone touches, as OpenSSL demands."""
    ours, theirs = socket.socketpair()
    threading.Thread(target=_pump, args=(encrypted, ours), daemon=True).start()
    return theirs


def _pump(encrypted: ssl.SSLSocket, plain: socket.socket) -> None:
    with encrypted, plain, selectors.DefaultSelector() as ready, contextlib.suppress(OSError):
        ready.register(encrypted, selectors.EVENT_READ, _decrypt)
        ready.register(plain, selectors.EVENT_READ, _encrypt)
        goes_on = True
        while goes_on:
            goes_on = all(key.data(encrypted, plain) for key, _ in ready.select())


def _decrypt(encrypted: ssl.SSLSocket, plain: socket.socket) -> bool:
    """Pass on what has come; whether there may be more."""
    encrypted.settimeout(0)
    with contextlib.suppress(ssl.SSLWantReadError):
        while data := encrypted.recv(_PIECE):
            plain.sendall(data)
        return False
    return True


def _encrypt(encrypted: ssl.SSLSocket, plain: socket.socket) -> bool:
    """Pass on what is to go; whether there may be more."""
    data = plain.recv(_PIECE)
    encrypted.settimeout(None)
    encrypted.sendall(data)
    return bool(data)
