"""The system views, and what a session can ask about itself."""

import pytest

COLUMNS = (
    "select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale "
    "from svv_columns where table_schema = 'sales' and table_name = 'orders' "
    "order by ordinal_position"
)


@pytest.fixture
def orders(cursor):
    cursor.execute("create schema sales")
    cursor.execute(
        "create table sales.orders ("
        "a smallint, b int distkey, c bigint, d decimal(12,2) encode az64, e real,"
        "f double precision, g boolean, h char(3), i varchar(20) not null, j varchar(max), k text,"
        "l date, m time, n timetz, o timestamp, p timestamptz, q super, r varbyte(16),"
        "primary key (b)"
        ") diststyle key compound sortkey (b, l)"
    )
    return cursor


def test_svv_columns_reports_types_as_redshift_does(orders, rows):
    assert rows(orders, COLUMNS) == [
        ("a", "smallint", None, 16, 0),
        ("b", "integer", None, 32, 0),
        ("c", "bigint", None, 64, 0),
        ("d", "numeric", None, 12, 2),
        ("e", "real", None, 24, None),
        ("f", "double precision", None, 53, None),
        ("g", "boolean", None, None, None),
        ("h", "character", 3, None, None),
        ("i", "character varying", 20, None, None),
        ("j", "character varying", 65535, None, None),
        ("k", "character varying", 256, None, None),
        ("l", "date", None, None, None),
        ("m", "time without time zone", None, None, None),
        ("n", "time with time zone", None, None, None),
        ("o", "timestamp without time zone", None, None, None),
        ("p", "timestamp with time zone", None, None, None),
        ("q", "super", None, None, None),
        ("r", "binary varying", 16, None, None),
    ]


def test_svv_columns_follows_every_alteration(orders, rows):
    orders.execute("alter table sales.orders add column s varchar(5) encode zstd")
    orders.execute("alter table sales.orders alter column i type varchar(40)")
    orders.execute("alter table sales.orders rename column a to first")
    orders.execute("comment on column sales.orders.c is 'the count'")
    kept = {row[0]: row for row in rows(orders, COLUMNS)}
    assert kept["s"] == ("s", "character varying", 5, None, None)
    assert kept["i"] == ("i", "character varying", 40, None, None)
    assert kept["first"] == ("first", "smallint", None, 16, 0)
    assert rows(orders, "select remarks from svv_columns where column_name = 'c'") == [
        ("the count",)
    ]


def test_a_table_made_from_a_query_reports_its_types(orders, rows):
    orders.execute("create table sales.copy as select a, d, i, q from sales.orders")
    query = "select column_name, data_type from svv_columns where table_name = 'copy' order by 1"
    assert rows(orders, query) == [
        ("a", "smallint"),
        ("d", "numeric"),
        ("i", "character varying"),
        ("q", "super"),
    ]


def test_distribution_and_sort_keys_are_kept(orders, rows):
    info = 'select schema, "table", diststyle, sortkey1, sortkey_num from svv_table_info'
    assert rows(orders, info) == [("sales", "orders", "KEY(b)", "b", 2)]
    keys = (
        'select "column", type, encoding, distkey, sortkey, "notnull" from pg_table_def '
        "where tablename = 'orders' and (distkey or sortkey > 0 or encoding <> 'none')"
    )
    assert rows(orders, keys) == [
        ("b", "integer", "none", True, 1, False),
        ("d", "numeric(12,2)", "az64", False, 0, False),
        ("l", "date", "none", False, 2, False),
    ]


def test_own_views_and_schemas_are_not_listed(orders, rows):
    assert rows(orders, "select table_schema, table_name, table_type from svv_tables") == [
        ("sales", "orders", "TABLE")
    ]


def test_the_isolation_level_is_told(cursor, rows):
    query = "select db_name, isolation_level from stv_db_isolation_level"
    assert rows(cursor, query) == [("dev", "Snapshot Isolation")]


def test_the_query_history_tells_label_status_and_text(cursor, failure, rows):
    cursor.execute("set query_group to 'tidegate sales.orders 1'")
    cursor.execute("select 1")
    failure(cursor, "select nothing_there")
    history = (
        "select query_label, status, query_text from sys_query_history "
        "where query_type = 'SELECT' and status <> 'running' order by query_id"
    )
    assert rows(cursor, history) == [("tidegate sales.orders 1", "success", "select 1")]
    labels = "select label, aborted from stl_query where querytxt = 'select 1'"
    assert rows(cursor, labels) == [("tidegate sales.orders 1", False)]


def test_sessions_tell_their_application(cursor, rows):
    cursor.execute("select count(*) from stv_sessions where user_name = 'tidegate'")
    assert rows(cursor, "select process = pg_backend_pid(), db_name from stv_sessions") == [
        (True, "dev")
    ]


def test_a_session_knows_itself(cursor, rows):
    ((user, database, schema, version),) = rows(
        cursor, "select current_user, current_database(), current_schema(), version()"
    )
    assert (user, database, schema) == ("tidegate", "dev", "public")
    assert version.startswith("PostgreSQL 8.0.2")
    assert "Redshift" in version


def test_settings_are_set_shown_and_reset(cursor, failure, rows):
    cursor.execute("set statement_timeout to '5s'")
    assert rows(cursor, "show statement_timeout") == [("5s",)]
    cursor.execute("reset statement_timeout")
    assert rows(cursor, "show statement_timeout") == [("0",)]
    assert rows(cursor, "select current_setting('query_group')") == [("default",)]
    assert failure(cursor, "set nothing_known to 1")["C"] == "42704"
    assert failure(cursor, "set statement_timeout to soon")["C"] == "22023"
    assert ("timezone", "UTC") in rows(cursor, "show all")


ACCEPTED = [
    "analyze orders",
    "vacuum full orders to 99 percent",
    "grant select on orders to public",
    "revoke all on orders from public",
    "comment on table orders is 'all of them'",
    "alter table orders owner to tidegate",
    "alter table orders alter diststyle even",
    "alter table orders alter column id encode zstd",
    "alter table orders add constraint pk primary key (id)",
    "create group readers",
    "create user someone password 'Secret1234'",
]


@pytest.mark.parametrize("statement", ACCEPTED)
def test_administration_is_accepted(cursor, statement):
    cursor.execute("create table orders (id int)")
    cursor.execute(statement)


def test_administration_of_what_is_not_there_is_refused(cursor, failure):
    assert failure(cursor, "analyze orders")["C"] == "42P01"
    assert failure(cursor, "comment on column orders.id is 'x'")["C"] == "42P01"


def test_an_explanation_is_one_column_of_text(cursor, rows):
    cursor.execute("explain select 1")
    assert [column[0] for column in cursor.description] == ["QUERY PLAN"]
    assert len(cursor.fetchall()) > 1
