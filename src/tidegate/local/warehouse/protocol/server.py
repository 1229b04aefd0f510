"""The server: accepts connections, gives each a thread and a session, and stops them all."""

import contextlib
import secrets
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from tidegate.errors import LocalStackError
from tidegate.local.warehouse.engine.cluster import Cluster
from tidegate.local.warehouse.engine.session import Session
from tidegate.local.warehouse.files.objects import S3Client
from tidegate.local.warehouse.language.failures import SqlError
from tidegate.local.warehouse.protocol.certificates import Certificates
from tidegate.local.warehouse.protocol.conversation import BUFFER_BYTES, Conversation
from tidegate.local.warehouse.protocol.handshake import (
    CancelRequest,
    Credentials,
    Startup,
    agree_on_tls,
    greet,
    welcome,
)
from tidegate.local.warehouse.protocol.messages import ProtocolError, error_response

WATCH_SECONDS = 0.05
STOP_SECONDS = 5.0


@dataclass
class _Connection:
    """One client."""

    socket: socket.socket
    session: Session | None = None
    secret: int = field(default_factory=lambda: secrets.randbits(32))

    def begin(self, tls: ssl.SSLContext) -> None:
        """Starts TLS if the client asks for it."""
        if agree_on_tls(self.socket):
            encrypted = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
            self.socket = encrypted
            encrypted.do_handshake()

    def close(self) -> None:
        """Closes the connection."""
        self.socket.close()

    def alive(self) -> bool:
        """Returns whether the client is still connected, without consuming its data."""
        look = socket.MSG_PEEK | socket.MSG_DONTWAIT
        try:
            # Peek at the raw socket below TLS: a TLS socket cannot peek.
            return socket.socket.recv(self.socket, 1, look) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def hang_up(self) -> None:
        """Ends the conversation from another thread."""
        if self.session is not None:
            self.session.interruption.cancel()
        with contextlib.suppress(OSError):
            # On the raw socket: the TLS state belongs to the conversation's thread.
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class Warehouse:
    """A server that answers like Redshift; it loses all its data when it stops."""

    def __init__(
        self,
        *,
        port: int,
        database: str,
        user: str,
        password: str,
        s3: S3Client,
        certificates: Certificates,
        host: str = "127.0.0.1",
    ) -> None:
        self.host = host
        self.port = port
        self._credentials = Credentials(database, user, password)
        self._s3 = s3
        self._tls = certificates.context()
        self._guard = threading.Lock()
        self._connections: dict[threading.Thread, _Connection] = {}
        self._stopping = threading.Event()
        self._stopping.set()

    def start(self) -> None:
        """Starts to listen and to serve clients, in threads of its own."""
        self._listener = self._bind()
        self._cluster = Cluster(self._credentials.database, self._s3)
        self._stopping.clear()
        self._service = [
            threading.Thread(target=serve, daemon=True) for serve in (self._accept, self._watch)
        ]
        for thread in self._service:
            thread.start()

    def _bind(self) -> socket.socket:
        try:
            listener = socket.create_server((self.host, self.port), backlog=64)
        except OSError as error:
            message = (
                f"the warehouse cannot listen on {self.host}:{self.port}: {error.strerror}; "
                "stop the program that uses the port, or choose another port"
            )
            raise LocalStackError(message) from error
        self.port = listener.getsockname()[1]
        return listener

    def stop(self) -> None:
        """Ends every session and rolls open transactions back."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread, connection in self._open_connections():
            connection.hang_up()
            thread.join(STOP_SECONDS)
        for thread in self._service:
            thread.join(STOP_SECONDS)
        self._cluster.close()

    @property
    def folder(self) -> Path:
        """The folder for data that does not fit into memory; deleted when the server stops."""
        return self._cluster.folder

    def _open_connections(self) -> list[tuple[threading.Thread, _Connection]]:
        with self._guard:
            return list(self._connections.items())

    def _watch(self) -> None:
        """Cancels statements that exceed statement_timeout."""
        while not self._stopping.wait(WATCH_SECONDS):
            for _, connection in self._open_connections():
                if connection.session is not None:
                    connection.session.interruption.expire(time.monotonic())

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(accepted)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._guard:
                self._connections[thread] = connection
            thread.start()

    def _serve(self, connection: _Connection) -> None:
        try:
            with contextlib.closing(connection):
                connection.begin(self._tls)
                self._converse(connection)
        except (ProtocolError, OSError):
            # The client has disconnected or never spoke the protocol, so it cannot get an error.
            return
        finally:
            if connection.session is not None:
                connection.session.close()
            with self._guard:
                self._connections.pop(threading.current_thread(), None)

    def _converse(self, connection: _Connection) -> None:
        stream_in = cast("BinaryIO", connection.socket.makefile("rb", BUFFER_BYTES))
        send = connection.socket.sendall
        with contextlib.closing(stream_in):
            try:
                startup = greet(stream_in, send, self._credentials)
            except SqlError as error:
                send(error_response(error))
                return
            if isinstance(startup, CancelRequest):
                self._cancel(startup)
                return
            session = self._open_session(connection, startup)
            send(welcome(startup, session.pid, connection.secret))
            Conversation(session, startup.protocol, stream_in, send).run()

    def _open_session(self, connection: _Connection, startup: Startup) -> Session:
        connection.session = Session(
            self._cluster, startup.user, startup.application, connection.alive
        )
        return connection.session

    def _cancel(self, request: CancelRequest) -> None:
        for _, connection in self._open_connections():
            session = connection.session
            if session and (session.pid, connection.secret) == (request.pid, request.secret):
                session.interruption.cancel()
