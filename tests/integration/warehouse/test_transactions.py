"""Transactions, locks and conflicts, as two clients meet them."""

import socket
import threading

import pytest
import redshift_connector


@pytest.fixture
def two(connect):
    one, other = connect(), connect()
    cursor = one.cursor()
    cursor.execute("create table orders (id integer, state varchar(10))")
    cursor.execute("insert into orders values (1, 'new'), (2, 'new')")
    one.commit()
    return one, other


def test_what_is_not_committed_is_not_seen_by_others(two, rows):
    one, other = two
    one.cursor().execute("delete from orders")
    assert rows(other.cursor(), "select count(*) from orders") == [(2,)]
    one.rollback()
    assert rows(one.cursor(), "select count(*) from orders") == [(2,)]


def test_ddl_is_rolled_back_with_its_transaction(two, failure):
    one, _ = two
    cursor = one.cursor()
    cursor.execute("create table later (id integer)")
    cursor.execute("alter table orders add column note varchar(5)")
    one.rollback()
    assert failure(cursor, "select * from later")["C"] == "42P01"
    one.rollback()
    assert failure(cursor, "select note from orders")["C"] == "42703"


def test_a_table_is_there_for_others_once_it_is_committed(two, failure, rows):
    one, other = two
    one.cursor().execute("create table public.later (id integer)")
    assert failure(other.cursor(), "select * from public.later")["C"] == "42P01"
    assert rows(one.cursor(), "select * from public.later") == []
    one.commit()
    other.rollback()
    other.cursor().execute("insert into public.later values (1)")
    assert rows(other.cursor(), "select * from public.later") == [(1,)]


def test_a_snapshot_from_before_a_table_was_made_has_no_such_table(two, failure, rows, connect):
    one, other = two
    assert rows(other.cursor(), "select count(*) from public.orders") == [(2,)]
    one.cursor().execute("create table public.later (id integer)")
    one.commit()
    assert rows(connect().cursor(), "select * from public.later") == []
    assert failure(other.cursor(), "insert into public.later values (1)")["C"] == "42P01"
    other.rollback()
    other.cursor().execute("insert into public.later values (1)")


def test_a_temporary_table_stands_before_one_that_all_see_until_it_is_undone(two, rows):
    one, _ = two
    cursor = one.cursor()
    assert rows(cursor, "select count(*) from orders") == [(2,)]
    cursor.execute("create temp table orders (note varchar(5))")
    cursor.execute("insert into orders (note) values ('mine')")
    assert rows(cursor, "select note from orders") == [("mine",)]
    assert rows(cursor, "select count(*) from public.orders") == [(2,)]
    one.rollback()
    cursor.execute("insert into orders (id) values (3)")
    assert rows(cursor, "select count(*) from orders") == [(3,)]


def test_a_swap_by_renaming_commits_as_a_whole(two, rows):
    one, other = two
    cursor = one.cursor()
    cursor.execute("create table fresh (like orders)")
    cursor.execute("alter table orders rename to stale")
    cursor.execute("alter table fresh rename to orders")
    one.commit()
    assert rows(other.cursor(), "select count(*) from orders") == [(0,)]
    assert rows(other.cursor(), "select count(*) from stale") == [(2,)]


def test_after_an_error_nothing_runs_until_rollback(two, failure, rows):
    one, _ = two
    cursor = one.cursor()
    cursor.execute("insert into orders values (3, 'new')")
    assert failure(cursor, "select nothing from orders")["C"] == "42703"
    assert failure(cursor, "select 1") == {
        "S": "ERROR",
        "C": "25P02",
        "M": "current transaction is aborted, commands ignored until end of transaction block",
    }
    one.rollback()
    assert rows(cursor, "select count(*) from orders") == [(2,)]


def test_commit_of_a_failed_transaction_rolls_it_back(two, failure, rows):
    one, other = two
    cursor = one.cursor()
    cursor.execute("insert into orders values (3, 'new')")
    failure(cursor, "selec")
    one.commit()
    assert rows(other.cursor(), "select count(*) from orders") == [(2,)]


def test_the_second_of_two_writers_of_a_row_gets_1023(two, failure):
    one, other = two
    one.cursor().execute("update orders set state = 'paid' where id = 1")
    cursor = other.cursor()
    error = failure(cursor, "update orders set state = 'lost' where id = 1")
    assert (error["S"], error["C"], error["M"]) == ("ERROR", "XX000", "1023")
    assert error["D"].startswith("Serializable isolation violation on table - ")
    assert failure(cursor, "select 1")["C"] == "25P02"


def test_a_snapshot_older_than_a_commit_cannot_overwrite_it(two, failure, rows):
    one, other = two
    assert rows(other.cursor(), "select count(*) from orders") == [(2,)]
    one.cursor().execute("delete from orders where id = 1")
    one.commit()
    assert failure(other.cursor(), "delete from orders where id = 1")["M"] == "1023"


def test_lock_is_refused_outside_of_a_transaction_block(cursor, failure):
    cursor.execute("create table orders (id integer)")
    assert failure(cursor, "lock orders")["C"] == "25P01"


def run_soon(work) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_lock_keeps_readers_waiting_until_commit(two, rows):
    one, other = two
    one.cursor().execute("lock table orders")
    seen = []
    reader = run_soon(lambda: seen.extend(rows(other.cursor(), "select count(*) from orders")))
    one.cursor().execute("insert into orders values (3, 'new')")
    assert seen == []
    one.commit()
    reader.join()
    assert seen == [(3,)]


def test_the_snapshot_begins_after_the_lock_was_got(two, rows):
    one, other = two
    one.cursor().execute("lock orders")
    one.cursor().execute("update orders set state = 'paid' where id = 1")

    def follow() -> None:
        cursor = other.cursor()
        cursor.execute("lock orders")
        cursor.execute("update orders set state = 'sent' where id = 1")
        other.commit()

    follower = run_soon(follow)
    one.commit()
    follower.join()
    assert rows(one.cursor(), "select state from orders where id = 1") == [("sent",)]


def test_a_lock_waits_for_an_open_reader(two, rows):
    one, other = two
    rows(one.cursor(), "select * from orders")
    locked = []

    def lock() -> None:
        other.cursor().execute("lock orders")
        locked.append(True)

    locker = run_soon(lock)
    locker.join(0.2)
    assert locked == []
    one.commit()
    locker.join()
    assert locked == [True]


def test_of_two_that_lock_in_opposite_order_one_gets_a_deadlock_error(two):
    one, other = two
    one.cursor().execute("create table parts (id integer)")
    one.commit()
    one.cursor().execute("lock orders")
    other.cursor().execute("lock parts")
    failed = []

    def lock(connection: redshift_connector.Connection, table: str) -> None:
        try:
            connection.cursor().execute(f"lock {table}")
        except redshift_connector.ProgrammingError as error:
            failed.append(error.args[0]["C"])

    waiters = [run_soon(lambda: lock(one, "parts")), run_soon(lambda: lock(other, "orders"))]
    for waiter in waiters:
        waiter.join()
    assert failed == ["40P01"]


def test_a_lost_client_frees_its_locks_and_its_changes(two, rows):
    one, other = two
    one.cursor().execute("lock orders")
    one.cursor().execute("delete from orders")
    one._usock.shutdown(socket.SHUT_RDWR)
    assert rows(other.cursor(), "select count(*) from orders") == [(2,)]


def test_truncate_commits_its_transaction_and_what_came_before(two, rows):
    one, other = two
    cursor = one.cursor()
    cursor.execute("create table parts (id integer)")
    cursor.execute("insert into parts values (1)")
    cursor.execute("truncate orders")
    one.rollback()
    assert rows(other.cursor(), "select count(*) from orders") == [(0,)]
    assert rows(other.cursor(), "select count(*) from parts") == [(1,)]


def test_vacuum_is_refused_in_a_transaction_block(two, failure):
    one, _ = two
    error = failure(one.cursor(), "vacuum orders")
    assert (error["C"], error["M"]) == ("25001", "VACUUM cannot run inside a transaction block")


def test_beginning_twice_is_a_warning(connect):
    connection = connect(autocommit=True)
    cursor = connection.cursor()
    cursor.execute("begin")
    cursor.execute("start transaction isolation level serializable")
    assert [notice[b"M"] for notice in connection.notices if b"M" in notice] == [
        b"there is already a transaction in progress"
    ]
    cursor.execute("end")
    assert not connection.in_transaction
