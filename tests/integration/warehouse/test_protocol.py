"""The wire itself: other clients, junk, cancellation, time limits, lost connections."""

import contextlib
import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest
import redshift_connector

from tidegate.errors import LocalStackError
from tidegate.local.warehouse import Warehouse
from tidegate.local.warehouse.protocol import handshake
from tidegate.local.warehouse.protocol import messages as wire

LONG = "select count(*) from big a, big b, big c"


@pytest.fixture
def big(connect):
    cursor = connect(autocommit=True).cursor()
    cursor.execute("create table big (n int)")
    cursor.execute("insert into big select 1")
    for _ in range(12):
        cursor.execute("insert into big select n from big")
    return cursor


class Client:
    """A client that speaks the protocol message by message."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.socket = socket.create_connection((warehouse.host, warehouse.port), timeout=20)
        self.stream = self.socket.makefile("rb")

    def close(self) -> None:
        self.stream.close()
        self.socket.close()

    def send(self, kind: bytes, body: bytes = b"") -> None:
        self.socket.sendall(wire.message(kind, body))

    def begin(self, password: str, **parameters: str) -> None:
        told = b"".join(wire.text(part) for pair in parameters.items() for part in pair) + b"\0"
        body = struct.pack("!i", wire.PROTOCOL_3) + told
        self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        salt = self.read()[1][4:]
        self.send(b"p", wire.text(handshake.md5_password(parameters["user"], password, salt)))

    def start(self) -> dict[bytes, bytes]:
        self.begin("a-password", user="tidegate", database="dev")
        return dict(self.until(b"Z"))

    def read(self) -> tuple[bytes, bytes]:
        kind, reader = wire.read_message(self.stream)
        return kind, reader._body

    def until(self, last: bytes) -> list[tuple[bytes, bytes]]:
        found = [self.read()]
        while found[-1][0] != last:
            found.append(self.read())
        return found

    def kinds_until(self, last: bytes) -> bytes:
        return b"".join(kind for kind, _ in self.until(last))


@pytest.fixture
def client(warehouse):
    opened = Client(warehouse)
    opened.start()
    yield opened
    opened.close()


def parse(text: str, *oids: int, name: str = "") -> bytes:
    types = struct.pack(f"!h{len(oids)}i", len(oids), *oids)
    return wire.text(name) + wire.text(text) + types


BIND = wire.text("") + wire.text("") + struct.pack("!hhh", 0, 0, 0)


def execute(limit: int) -> bytes:
    return wire.text("") + struct.pack("!i", limit)


def test_rows_come_in_portions_when_the_client_limits_them(client):
    client.send(b"P", parse("select 1 as n union all select 2 union all select 3"))
    client.send(b"B", BIND)
    client.send(b"D", b"P" + wire.text(""))
    for _ in range(2):
        client.send(b"E", execute(2))
    client.send(b"S")
    assert client.kinds_until(b"Z") == b"12TDDsDCZ"


def test_after_an_error_everything_is_skipped_until_sync(client):
    client.send(b"P", parse("selec"))
    client.send(b"B", BIND)
    client.send(b"E", execute(0))
    client.send(b"S")
    assert client.kinds_until(b"Z") == b"EZ"
    client.send(b"Q", wire.text("select 1"))
    assert client.kinds_until(b"Z") == b"TDCZ"


def test_describe_tells_parameters_and_columns_before_anything_ran(client):
    client.send(b"P", parse("select $1::int as a, $2 as b", 23, 0, name="s"))
    client.send(b"D", b"S" + wire.text("s"))
    client.send(b"H")
    kinds = dict(client.until(b"T"))
    assert kinds[b"t"] == struct.pack("!hii", 2, 23, 705)
    assert kinds[b"T"].startswith(struct.pack("!h", 2) + b"a\0")


def test_a_statement_without_rows_is_described_as_such(client):
    client.send(b"P", parse("create table later (id int)"))
    client.send(b"D", b"S" + wire.text(""))
    client.send(b"S")
    assert client.kinds_until(b"Z") == b"1tnZ"


def test_an_empty_query_is_answered(client):
    client.send(b"Q", wire.text(" ; -- nothing"))
    assert client.kinds_until(b"Z") == b"IZ"


def test_a_simple_query_may_hold_several_statements_up_to_the_first_error(client):
    client.send(b"Q", wire.text("select 1; select nothing_there; select 2"))
    assert client.kinds_until(b"Z") == b"TDCEZ"


def test_what_was_closed_or_never_prepared_is_not_there(client):
    client.send(b"P", parse("select 1", name="s"))
    client.send(b"C", b"S" + wire.text("s"))
    client.send(b"B", wire.text("") + wire.text("s") + struct.pack("!hhh", 0, 0, 0))
    client.send(b"S")
    seen = client.until(b"Z")
    assert b"".join(kind for kind, _ in seen) == b"13EZ"
    assert b"C26000\0" in dict(seen)[b"E"]


@pytest.mark.parametrize(
    "junk",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff" * 100,
        b"\0\0\0\x04",
        b"\0\0\0\x10\0\x03\0\0half",
        struct.pack("!ii", 8, wire.SSL_REQUEST),
        struct.pack("!ii", 8, wire.SSL_REQUEST) + b"no hello of TLS",
        b"",
    ],
)
def test_junk_on_the_port_harms_nobody(warehouse, connect, rows, junk):
    with socket.create_connection((warehouse.host, warehouse.port)) as visitor:
        visitor.sendall(junk)
    assert rows(connect().cursor(), "select 1") == [(1,)]


def test_junk_in_a_session_ends_that_session_and_its_transaction(client, cursor, rows):
    cursor.execute("create table orders (id int)")
    client.send(b"Q", wire.text("begin; lock orders; insert into orders values (1)"))
    client.until(b"Z")
    client.socket.sendall(b"\x00\xff\xff\xff\xff")
    assert client.stream.read() == b""
    assert rows(cursor, "select count(*) from orders") == [(0,)]


def test_a_client_that_stops_in_the_middle_of_a_message_is_forgotten(client, cursor, rows):
    cursor.execute("create table orders (id int)")
    client.send(b"Q", wire.text("begin; lock orders"))
    client.until(b"Z")
    client.socket.sendall(b"Q\0\0\0\x50select")
    client.socket.shutdown(socket.SHUT_RDWR)
    assert rows(cursor, "select count(*) from orders") == [(0,)]


def test_a_client_that_goes_while_it_waits_for_a_lock_leaves_no_waiter(client, connect, rows):
    holder = connect()
    cursor = holder.cursor()
    cursor.execute("create table orders (id int)")
    holder.commit()
    cursor.execute("lock orders")
    client.send(b"Q", wire.text("begin; lock orders"))
    client.socket.shutdown(socket.SHUT_RDWR)
    holder.commit()
    assert rows(connect().cursor(), "select count(*) from orders") == [(0,)]


def test_statement_timeout_stops_a_statement(big, failure, rows):
    big.execute("set statement_timeout to 200")
    error = failure(big, LONG)
    assert error["C"] == "57014"
    assert error["M"].endswith("cancelled on user's request")
    assert rows(big, "select 1") == [(1,)]


def test_statement_timeout_ends_the_wait_for_a_lock(big, connect, failure):
    holder = connect()
    holder.cursor().execute("lock big")
    big.execute("set statement_timeout to 200")
    assert failure(big, "select count(*) from big")["C"] == "57014"


def test_a_cancel_request_stops_the_statement_it_names(warehouse, big):
    victim = Client(warehouse)
    try:
        key = victim.start()[b"K"]
        victim.send(b"Q", wire.text(LONG))
        stopper = threading.Thread(target=_cancel_repeatedly, args=(warehouse, key))
        stopper.start()
        error = dict(victim.until(b"Z"))[b"E"]
        stopper.join()
    finally:
        victim.close()
    assert b"C57014\0" in error


def _cancel_repeatedly(warehouse: Warehouse, key: bytes) -> None:
    for _ in range(20):
        request = struct.pack("!ii", 16, wire.CANCEL_REQUEST) + key
        with socket.create_connection((warehouse.host, warehouse.port)) as caller:
            caller.sendall(request)
            caller.recv(1)
        time.sleep(0.05)


def refused(warehouse: Warehouse, password: str = "a-password", **parameters: str) -> bytes:
    """The error a client gets that is not let in."""
    client = Client(warehouse)
    try:
        client.begin(password, **parameters)
        kind, body = client.read()
    finally:
        client.close()
    assert kind == b"E"
    return body


def test_who_is_not_known_does_not_come_in(warehouse):
    known = {"user": "tidegate", "database": "dev"}
    assert b"C28000\0" in refused(warehouse, "wrong", **known)
    assert b"C28000\0" in refused(warehouse, **known | {"user": "root"})
    assert b"C3D000\0" in refused(warehouse, **known | {"database": "prod"})


def test_a_taken_port_is_named(warehouse, certificates):
    other = Warehouse(
        port=warehouse.port,
        database="dev",
        user="u",
        password="p",
        s3=None,
        certificates=certificates,
    )
    with pytest.raises(LocalStackError, match=str(warehouse.port)):
        other.start()


def test_it_can_stop_while_clients_work_and_start_again(warehouse, big, connect):
    idle = connect()
    idle.cursor().execute("select 1")
    warehouse.stop()
    with pytest.raises((redshift_connector.InterfaceError, OSError)):
        idle.cursor().execute("select 1")
    warehouse.start()
    cursor = connect().cursor()
    cursor.execute("select count(*) from svv_tables")
    assert cursor.fetchall() == ([0],)


def test_a_large_result_comes_whole(big, rows):
    query = "select a.n, 'some text' as t from big a, (select n from big limit 50) b"
    assert len(rows(big, query)) == 4096 * 50


def test_who_asks_for_gss_is_declined_and_may_ask_for_tls(warehouse, certificates):
    context = ssl.create_default_context(cafile=certificates.authority)
    with socket.create_connection((warehouse.host, warehouse.port), timeout=20) as plain:
        plain.sendall(struct.pack("!ii", 8, wire.GSSENC_REQUEST))
        assert plain.recv(1) == b"N"
        plain.sendall(struct.pack("!ii", 8, wire.SSL_REQUEST))
        assert plain.recv(1) == b"S"
        with context.wrap_socket(plain, server_hostname="localhost") as encrypted:
            assert encrypted.version() == "TLSv1.3"


def test_a_session_without_tls_is_served_too(client):
    client.send(b"Q", wire.text("select 1"))
    assert client.kinds_until(b"Z") == b"TDCZ"


def test_a_session_with_tls_that_is_lost_while_it_waits_is_ended(connect, cursor, rows):
    cursor.execute("create table orders (id int)")
    holder, lost = connect(), connect()
    holder.cursor().execute("lock orders")
    thread = threading.Thread(target=_lose, args=(lost, "lock orders"))
    thread.start()
    time.sleep(0.3)
    socket.socket.shutdown(lost._usock, socket.SHUT_RDWR)
    thread.join()
    holder.commit()
    assert rows(connect().cursor(), "select count(*) from orders") == [(0,)]


def _lose(connection: redshift_connector.Connection, statement: str) -> None:
    with contextlib.suppress(redshift_connector.Error, OSError):
        connection.cursor().execute(statement)


@pytest.fixture
def psql(warehouse, certificates):
    if shutil.which("psql") is None:
        pytest.skip("psql is not installed")
    settings = {
        "PGHOST": warehouse.host,
        "PGPORT": str(warehouse.port),
        "PGUSER": "tidegate",
        "PGPASSWORD": "a-password",
        "PGDATABASE": "dev",
        **certificates.environment(),
    }

    def run(text: str) -> str:
        command = ["psql", "-X", "-A", "-t", "-c", text]
        ran = subprocess.run(
            command,
            env=os.environ | settings,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return ran.stdout + ran.stderr

    return run


def test_psql_checks_the_certificate_and_the_name_in_it(psql):
    told = psql("\\conninfo")
    assert "SSL connection (protocol: TLSv1.3" in told


def test_psql_shows_values_and_errors(psql):
    psql("create table orders (id int, at timestamp, note super, total decimal(8,2), ok boolean)")
    psql("insert into orders values (1, '2024-02-29 10:00:00.5', json_parse('[1]'), 1.5, true)")
    assert psql("select * from orders") == "1|2024-02-29 10:00:00.5|[1]|1.50|t\n"
    assert (
        psql("select nothing from orders") == 'ERROR:  column "nothing" does not exist in orders\n'
    )
