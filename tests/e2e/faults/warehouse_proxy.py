"""A proxy between a local stack's jobs and its warehouse that reads their messages.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tests.e2e.faults.calls import Call, Callers, command_of, find_table, name_statement
from tests.e2e.faults.watch import Watch
from tests.e2e.tls import Tls

PARSE, SYNC = b"P", b"S"
READY, COMPLETE, EMPTY, ERROR = b"Z", b"C", b"I", b"E"


@dataclass(frozen=True)
class Refusal:
    """An error response that the proxy gives instead of passing the statement on."""

    code: str
    message: str
    detail: str = ""

    def to_bytes(self) -> bytes:
        fields = {"S": "ERROR", "C": self.code, "M": self.message, "D": self.detail}
        body = b"".join(f"{name}{text}\0".encode() for name, text in fields.items() if text)
        error = body + b"\0"
        return frame(ERROR, error) + frame(READY, b"E")


class WarehouseProxy:
    """Passes messages on; tells `watch` about each statement before and after it runs."""

    def __init__(
        self, warehouse_port: int, cloud_port: int, watch: Watch, tables: Sequence[str]
    ) -> None:
        self._target = warehouse_port
        self._tls: Tls | None = None
        self._watch = watch
        self._tables = tables
        self._callers = Callers(cloud_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def serve_as(self, tls: Tls) -> None:
        """Accept connections from now on, with the warehouse's certificate."""
        self._tls = tls

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, (_, port) = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client, port), daemon=True).start()

    def _serve(self, client: socket.socket, port: int) -> None:
        caller = self._callers.find(port, self.port)
        if caller is None or self._tls is None:
            client.close()
            return
        pid, step = caller
        table = find_table(command_of(pid), self._tables)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with (
            contextlib.suppress(OSError),
            self._tls.accept(client) as plain,
            self._tls.connect(self._target) as server,
        ):
            call = Call(step, "redshift:connect", table, pid)
            Conversation(plain, server, self._watch, call).go_on()


class Conversation:
    """One session of a job; `call` is its first call, which is to connect."""

    def __init__(
        self, client: socket.socket, server: socket.socket, watch: Watch, call: Call
    ) -> None:
        self._client = client
        self._server = server
        self._watch = watch
        self._call = call
        self._nth = 0
        self._awaited = READY  # the server's message at the end of the call
        self._refused: Refusal | None = None

    def go_on(self) -> None:
        """Pass messages on until one side disconnects."""
        back = threading.Thread(target=self._pass_back)
        back.start()
        with contextlib.suppress(OSError):
            self._pass_on()
        for one in (self._client, self._server):
            shut(one)
        back.join()

    def _pass_on(self) -> None:
        self._nth, instead = self._watch.before(self._call)
        if instead is not None:
            return
        [length] = struct.unpack("!i", head := receive(self._client, 4))
        self._server.sendall(head + receive(self._client, length - 4))
        for kind, body in messages(self._client):
            if kind == PARSE and not self._let_pass(body):
                return
            if self._refused is None:
                self._server.sendall(frame(kind, body))
            elif kind == SYNC:
                self._client.sendall(self._refused.to_bytes())
                self._refused = None

    def _let_pass(self, body: bytes) -> bool:
        """Pass a statement on or refuse it; return whether the session goes on."""
        sql = body.split(b"\0")[1].decode()
        self._call = replace(self._call, name=name_statement(sql))
        self._nth, instead = self._watch.before(self._call)
        self._awaited = COMPLETE + EMPTY + ERROR
        if isinstance(instead, Refusal):
            self._refused = instead
        return instead is None or self._refused is not None

    def _pass_back(self) -> None:
        with contextlib.suppress(OSError):
            for kind, body in messages(self._server):
                if kind in self._awaited and self._is_over():
                    break
                self._client.sendall(frame(kind, body))
        for one in (self._client, self._server):
            shut(one)

    def _is_over(self) -> bool:
        """Return whether the session ends after the response to its last call."""
        self._awaited = b""
        return self._watch.after(self._call, self._nth) is not None


def messages(source: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and body of one side's messages until it disconnects."""
    while head := receive(source, 5):
        kind, length = struct.unpack("!ci", head)
        yield kind, receive(source, length - 4)


def receive(source: socket.socket, count: int) -> bytes:
    """Read `count` bytes; fewer if the other side disconnects."""
    data = b""
    while len(data) < count and (more := source.recv(count - len(data))):
        data += more
    return data


def frame(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def shut(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
