"""Turns TLS connections into plain sockets, for a proxy that reads the protocol."""

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
    """A local stack's certificates: to act as its warehouse, and to trust its warehouse."""

    folder: Path

    @classmethod
    def of(cls, variables: dict[str, str]) -> "Tls":
        """Return the certificates of the stack with these environment variables."""
        return cls(Path(variables["PGSSLROOTCERT"]).parent)

    def accept(self, client: socket.socket) -> socket.socket:
        """Answer the TLS request of `client`; return the plain side of the connection."""
        if client.recv(len(SSL_REQUEST), socket.MSG_WAITALL) != SSL_REQUEST:
            raise ConnectionError("the client went, or did not ask for TLS")
        client.sendall(b"S")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem")
        return _as_plain(context.wrap_socket(client, server_side=True))

    def connect(self, port: int) -> socket.socket:
        """Connect to the warehouse with TLS; return the plain side of the connection."""
        server = socket.create_connection(("127.0.0.1", port))
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.sendall(SSL_REQUEST)
        if server.recv(1) != b"S":
            raise ConnectionError("the warehouse went, or does not speak TLS")
        context = ssl.create_default_context(cafile=self.folder / "authority.pem")
        return _as_plain(context.wrap_socket(server, server_hostname="127.0.0.1"))


def _as_plain(encrypted: ssl.SSLSocket) -> socket.socket:
    """Return the plain side of `encrypted`; only one thread uses it, as OpenSSL requires."""
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
    """Decrypt the received data and pass it on; return whether more may come."""
    encrypted.settimeout(0)
    with contextlib.suppress(ssl.SSLWantReadError):
        while data := encrypted.recv(_PIECE):
            plain.sendall(data)
        return False
    return True


def _encrypt(encrypted: ssl.SSLSocket, plain: socket.socket) -> bool:
    """Encrypt and send the next data; return whether more may come."""
    data = plain.recv(_PIECE)
    encrypted.settimeout(None)
    encrypted.sendall(data)
    return bool(data)
