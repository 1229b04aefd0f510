"""One client's conversation with its session, in the PostgreSQL wire protocol.

https://www.postgresql.org/docs/current/protocol-flow.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from tidegate.local.warehouse.engine import execution
from tidegate.local.warehouse.engine.session import Session
from tidegate.local.warehouse.engine.statement import Statement
from tidegate.local.warehouse.language.failures import SYNTAX, SqlError
from tidegate.local.warehouse.language.lexer import is_blank, split
from tidegate.local.warehouse.language.oids import UNKNOWN, Field, Parameter
from tidegate.local.warehouse.protocol import messages as wire
from tidegate.local.warehouse.protocol.handshake import BASE_PROTOCOL, BINARY_PROTOCOL, Send
from tidegate.local.warehouse.protocol.messages import Reader
from tidegate.local.warehouse.protocol.portal import Portal
from tidegate.local.warehouse.protocol.values import decode
from tidegate.local.warehouse.statements.grammar import parse

BUFFER_BYTES = 64 * 1024


@dataclass
class Prepared:
    """A prepared statement, made by Parse; `statement` is None for an empty text."""

    statement: Statement | None
    oids: list[int]
    fields: Sequence[Field] | None = None
    described: bool = False

    def parameter_oids(self) -> list[int]:
        """Returns one type for each parameter, or UNKNOWN if the client gave none."""
        count = self.statement.parameters if self.statement else 0
        known = [oid or UNKNOWN for oid in self.oids]
        return known + [UNKNOWN] * (count - len(known))


class Conversation:
    """Answers a client's messages until the client terminates."""

    def __init__(self, session: Session, protocol: int, stream_in: BinaryIO, send: Send) -> None:
        self._session = session
        self._protocol = protocol
        self._in = stream_in
        self._send_now = send
        self._prepared: dict[str, Prepared] = {}
        self._portals: dict[str, Portal] = {}
        self._skipping = False
        self._buffer = bytearray()
        self._handlers: dict[bytes, Callable[[Reader], None]] = {
            b"P": self._parse,
            b"B": self._bind,
            b"D": self._describe,
            b"E": self._execute,
            b"C": self._close,
            b"Q": self._query,
            b"S": self._sync,
            b"H": lambda body: self._flush(),
        }

    def run(self) -> None:
        """Reads and answers messages until the client terminates."""
        self._ready()
        while True:
            kind, body = wire.read_message(self._in)
            if kind == b"X":
                return
            self._answer(kind, body)

    def _answer(self, kind: bytes, body: Reader) -> None:
        handler = self._handlers.get(kind)
        if handler is None:
            raise wire.ProtocolError(f"unknown message type {kind!r}")
        if self._skipping and kind not in {b"S", b"Q"}:
            return
        try:
            handler(body)
        except SqlError as error:
            self._tell_error(error)
            self._skipping = kind != b"Q"
            if kind == b"Q":
                self._ready()

    def _tell_error(self, error: SqlError) -> None:
        self._close_portals()
        if self._session.transaction.in_block:
            self._session.abort()
        self._tell_notices()
        self._send(wire.error_response(error))

    def _send(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > BUFFER_BYTES:
            self._flush()

    def _flush(self) -> None:
        self._send_now(bytes(self._buffer))
        self._buffer.clear()

    def _tell_notices(self) -> None:
        for notice in self._session.notices:
            self._send(wire.notice_response(notice))
        self._session.notices.clear()

    def _ready(self) -> None:
        self._send(wire.ready(self._session.transaction.status))
        self._flush()

    # The extended protocol

    def _parse(self, body: Reader) -> None:
        name, text, oids = body.text(), body.text(), [body.int32() for _ in range(body.int16())]
        statement = None if is_blank(text) else self._read(text)
        self._prepared[name] = Prepared(statement, oids)
        self._send(wire.PARSE_COMPLETE)

    def _read(self, text: str) -> Statement:
        """Parses a text; raises if its statement may not run now."""
        statement = parse(text, self._session.cluster.database)
        execution.admit(self._session, statement)
        return statement

    def _find_prepared(self, name: str) -> Prepared:
        if name not in self._prepared:
            raise SqlError("26000", f'prepared statement "{name}" does not exist')
        return self._prepared[name]

    def _find_portal(self, name: str) -> Portal:
        if name not in self._portals:
            raise SqlError("34000", f'portal "{name}" does not exist')
        return self._portals[name]

    def _bind(self, body: Reader) -> None:
        portal_name, prepared = body.text(), self._find_prepared(body.text())
        parameters = self._read_parameters(body, prepared.parameter_oids())
        formats = body.int16s()
        self._drop_portal(portal_name)
        if prepared.statement is not None:
            self._portals[portal_name] = Portal(
                self._session,
                prepared.statement,
                parameters,
                formats,
                prepared.fields if prepared.described else None,
                scaled=self._protocol >= BINARY_PROTOCOL,
            )
        self._send(wire.BIND_COMPLETE)

    def _read_parameters(self, body: Reader, oids: Sequence[int]) -> list[Parameter]:
        formats = body.int16s()
        raws = [body.value() for _ in range(body.int16())]
        if len(raws) != len(oids):
            message = f"bind message supplies {len(raws)} parameters, but {len(oids)} are needed"
            raise SqlError("08P01", message)
        codes = formats * len(raws) if len(formats) == 1 else formats or [0] * len(raws)
        return [
            Parameter(None if raw is None else decode(raw, oid, code), oid)
            for raw, oid, code in zip(raws, oids, codes, strict=True)
        ]

    def _describe(self, body: Reader) -> None:
        kind, name = body.take(1), body.text()
        if kind == b"P":
            portal = self._portals.get(name)
            fields = portal.fields() if portal else None
            formats = portal.formats(len(fields or ())) if portal else []
        else:
            prepared = self._find_prepared(name)
            self._send(wire.parameter_description(prepared.parameter_oids()))
            fields = self._described(prepared)
            formats = [0] * len(fields or ())
        self._send(wire.NO_DATA if fields is None else self._row_description(fields, formats))

    def _row_description(self, fields: Sequence[Field], formats: Sequence[int]) -> bytes:
        return wire.row_description(fields, formats, extended=self._protocol > BASE_PROTOCOL)

    def _described(self, prepared: Prepared) -> Sequence[Field] | None:
        if prepared.statement is not None:
            oids = prepared.parameter_oids()
            prepared.fields = execution.describe(self._session, prepared.statement, oids)
            prepared.described = True
        return prepared.fields

    def _execute(self, body: Reader) -> None:
        name, limit = body.text(), body.int32()
        if name not in self._portals:
            self._send(wire.EMPTY_QUERY)
            return
        portal = self._find_portal(name)
        outcome = portal.execute()
        for row in portal.take(limit):
            self._send(row)
        self._tell_notices()
        self._send(wire.command_complete(outcome.tag) if portal.done else wire.PORTAL_SUSPENDED)

    def _close(self, body: Reader) -> None:
        kind, name = body.take(1), body.text()
        if kind == b"S":
            self._prepared.pop(name, None)
        else:
            self._drop_portal(name)
        self._send(wire.CLOSE_COMPLETE)

    def _drop_portal(self, name: str) -> None:
        if portal := self._portals.pop(name, None):
            portal.close()

    def _close_portals(self) -> None:
        for name in list(self._portals):
            self._drop_portal(name)

    def _sync(self, body: Reader) -> None:
        self._skipping = False
        if not self._session.transaction.in_block:
            self._close_portals()
        self._ready()

    # The simple protocol

    def _query(self, body: Reader) -> None:
        self._skipping = False
        texts = split(body.text())
        if not texts:
            self._send(wire.EMPTY_QUERY)
        for text in texts:
            self._run_simply(text)
        self._ready()

    def _run_simply(self, text: str) -> None:
        portal = Portal(self._session, self._read(text), [], [])
        if portal.statement.parameters:
            raise SqlError(SYNTAX, "there is no parameter $1")
        outcome = portal.execute()
        if outcome.fields is not None:
            formats = portal.formats(len(outcome.fields))
            self._send(self._row_description(outcome.fields, formats))
        for row in portal.take(0):
            self._send(row)
        self._tell_notices()
        self._send(wire.command_complete(outcome.tag))
