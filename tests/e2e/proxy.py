"""A proxy before the warehouse that acts when a statement comes by: how a job is killed in time."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.e2e.tls import Tls


@dataclass
class Proxy:
    """Passes bytes on; calls `act` once, when a client sends `statement`.

    With `forward` the statement reaches the warehouse; with `answered` too, `act` waits until the
    warehouse has answered it, and the client never hears the answer.
    """

    target: int
    tls: Tls
    statement: bytes
    act: Callable[[], None]
    answered: bool
    forward: bool
    seen: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        sent = threading.Event()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with (
            contextlib.suppress(OSError),
            self.tls.accept(client) as plain,
            self.tls.connect(self.target) as server,
        ):
            back = threading.Thread(target=self._pump_back, args=(plain, server, sent))
            back.start()
            self._pump_out(plain, server, sent)
            _shut(server)
            back.join()

    def _pump_out(
        self, client: socket.socket, server: socket.socket, sent: threading.Event
    ) -> None:
        for data in _pieces(client):
            if self.statement not in data or self.seen.is_set():
                server.sendall(data)
                continue
            self.seen.set()
            if not self.forward:
                self.act()
                return
            sent.set()
            server.sendall(data)
            if not self.answered:
                self.act()

    def _pump_back(
        self, client: socket.socket, server: socket.socket, sent: threading.Event
    ) -> None:
        for data in _pieces(server):
            if sent.is_set() and self.answered:
                self.act()
                break
            try:
                client.sendall(data)
            except OSError:
                break
        _shut(client)


def _pieces(source: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            data = source.recv(1 << 16)
        except OSError:
            return
        if not data:
            return
        yield data


def _shut(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
