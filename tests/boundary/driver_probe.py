"""Tries what Tidegate assumes of redshift_connector; prints what it saw as JSON.

Runs under every Python that has a driver to try, Glue's 3.9 among them, so it is written for 3.9.
"""

import json
import os
import socket
import ssl
import sys
from decimal import Decimal

import redshift_connector

HOST, PORT, PASSWORD = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def connect(password=PASSWORD, host=HOST, **options):
    return redshift_connector.connect(
        host=host, port=PORT, database="dev", user="tidegate", password=password, **options
    )


def error_of(work):
    try:
        work()
    except Exception as error:
        told = error.args[0]
        return {
            "class": type(error).__name__,
            "told": told if isinstance(told, dict) else str(told),
        }
    return None


def history(cursor, connection):
    cursor.execute("select query_text from sys_query_history order by query_id")
    seen = [row[0] for row in cursor.fetchall()]
    connection.rollback()
    return seen


def probe_transactions():
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("select 1")
    cursor.execute("select 2")
    connection.commit()
    connection.rollback()
    connection.autocommit = True
    cursor.execute("select 3")
    seen = history(cursor, connection)
    connection.close()
    return [text for text in seen if "sys_query_history" not in text]


def probe_with_block():
    with connect() as connection:
        connection.cursor().execute("create table forgotten (id int)")
    later = connect()
    found = error_of(lambda: later.cursor().execute("select * from forgotten"))
    later.close()
    return found


def probe_counts(cursor):
    counts = {}
    cursor.execute("create table target (id int, v varchar(5))")
    cursor.execute("create table source (id int, v varchar(5))")
    cursor.execute("insert into source values (1, 'a'), (2, 'b')")
    counts["insert"] = cursor.rowcount
    cursor.execute(
        "merge into target using source on target.id = source.id when matched then update "
        "set v = source.v when not matched then insert (id, v) values (source.id, source.v)"
    )
    counts["merge"] = cursor.rowcount
    cursor.execute("update target set v = 'c'")
    counts["update"] = cursor.rowcount
    cursor.execute("delete from target where id = 1")
    counts["delete"] = cursor.rowcount
    return counts


def first(cursor, statement, values=None):
    cursor.execute(statement, values)
    return cursor.fetchall()[0][0]


def probe_percent(cursor):
    return {
        "literal without values": first(cursor, "select 'a%b'"),
        "literal with values": first(cursor, "select 'a%b' || %s", ("c",)),
        "doubled in a literal with values": first(cursor, "select 'a%%b' || %s", ("c",)),
        "quoted identifier with values": first(
            cursor, 'select "a%b" from (select %s as "a%b") t', ("c",)
        ),
        "bare without values": error_of(lambda: cursor.execute("select 7 % 4")),
        "bare with values": error_of(lambda: cursor.execute("select 7 % 4, %s", ("c",))),
        "doubled and bare with values": first(cursor, "select 7 %% 4, %s", ("c",)),
    }


def probe_values(cursor):
    cursor.execute(
        "select 1::smallint, 2::bigint, 1.50::decimal(8,2), true, 'x'::varchar, "
        "'2024-02-29'::date, json_parse('{\"a\": 1}'), from_hex('00ff'), null"
    )
    (row,) = cursor.fetchall()
    return [str(value) for value in row]


def probe_columns(cursor):
    cursor.execute("select 1 as one")
    return type(cursor.description[0][0]).__name__


def probe_long_decimal(cursor):
    number = "12345678901234567890123456789012.5678"
    cursor.execute("select cast('" + number + "' as decimal(36, 4))")
    return Decimal(cursor.fetchall()[0][0]) == Decimal(number)


def tls_of(**options):
    try:
        connection = connect(**options)
    except redshift_connector.Error as error:
        [cause] = [part for part in error.args if isinstance(part, ssl.SSLError)]
        return {"class": type(error).__name__, "cause": cause.verify_message}
    try:
        return connection._usock.version()
    finally:
        connection.close()


def probe_tls():
    seen = {
        "by itself": tls_of(),
        "verify-full": tls_of(sslmode="verify-full"),
        # Another way to write 127.0.0.1.
        "another name": tls_of(host="127.1", sslmode="verify-full"),
    }
    os.environ["SSL_CERT_DIR"] = os.devnull
    seen["unknown authority"] = tls_of(sslmode="verify-full")
    return seen


def main():
    seen = {"version": redshift_connector.__version__, "paramstyle": redshift_connector.paramstyle}
    seen["transactions"] = probe_transactions()
    seen["with"] = probe_with_block()
    seen["password"] = error_of(lambda: connect("wrong"))
    connection = connect()
    connection.autocommit = True
    cursor = connection.cursor()
    seen["counts"] = probe_counts(cursor)
    seen["percent"] = probe_percent(cursor)
    seen["values"] = probe_values(cursor)
    seen["column name"] = probe_columns(cursor)
    seen["long decimal is exact"] = probe_long_decimal(cursor)
    seen["is a socket"] = isinstance(connection._usock, socket.socket)
    seen["syntax"] = error_of(lambda: cursor.execute("selec"))
    seen["several"] = error_of(lambda: cursor.execute("select 1; select 2"))
    seen["conflict"] = error_of(lambda: conflict(cursor))
    connection.close()
    seen["tls"] = probe_tls()
    sys.stdout.write(json.dumps(seen))


def conflict(cursor):
    other = connect()
    other.cursor().execute("update source set v = 'x' where id = 1")
    try:
        cursor.execute("update source set v = 'y' where id = 1")
    finally:
        other.rollback()
        other.close()


if __name__ == "__main__":
    main()
