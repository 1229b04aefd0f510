"""Statements that change rows and tables, and what becomes of the values."""

import datetime as dt
from decimal import Decimal

import pytest


@pytest.fixture
def orders(cursor):
    cursor.execute("create schema sales")
    cursor.execute("create table sales.orders (id integer, state varchar(10), note super)")
    cursor.execute("insert into sales.orders (id, state) values (1, 'new'), (2, 'new'), (3, 'old')")
    cursor.execute("create temp table stage (id integer, state varchar(20))")
    cursor.execute("insert into stage values (2, 'paid'), (4, 'new')")
    return cursor


def merge(target: str = "sales.orders") -> str:
    return (
        f"merge into {target} using stage on {target}.id = stage.id "
        "when matched then update set state = stage.state "
        "when not matched then insert (id, state) values (stage.id, stage.state)"
    )


ALL = "select id, state from sales.orders order by id"


def test_merge_updates_and_inserts_and_reports_no_count(orders, rows):
    orders.execute(merge())
    assert orders.rowcount == -1
    assert rows(orders, ALL) == [(1, "new"), (2, "paid"), (3, "old"), (4, "new")]


def test_merge_can_delete_what_matches_and_insert_all_columns(orders, rows):
    orders.execute(
        "merge into sales.orders using (select id, max(state) as state from stage group by id) s "
        "on sales.orders.id = s.id when matched then delete "
        "when not matched then insert values (s.id, s.state, null)"
    )
    assert rows(orders, ALL) == [(1, "new"), (3, "old"), (4, "new")]


def test_merge_of_two_rows_into_one_is_an_error(orders, failure):
    orders.execute("insert into stage values (2, 'sent')")
    assert failure(orders, merge()) == {
        "S": "ERROR",
        "C": "XX000",
        "M": "Found multiple matches to update the same tuple.",
    }


def test_merge_refuses_a_value_that_is_too_long_in_either_branch(orders, failure):
    for key in (2, 9):
        orders.execute(f"update stage set state = 'much too long', id = {key} where id in (2, 9)")
        error = failure(orders, merge())
        assert error["C"] == "22001"
        assert error["M"] == "value too long for type character varying(10)"


def test_counts_of_insert_update_and_delete(orders):
    orders.execute("insert into sales.orders (id) select id + 10 from stage")
    assert orders.rowcount == 2
    orders.execute(
        "update sales.orders set state = stage.state from stage where stage.id = orders.id"
    )
    assert orders.rowcount == 1
    orders.execute("delete from sales.orders using stage where sales.orders.id = stage.id")
    assert orders.rowcount == 1


def test_a_temporary_table_shadows_a_permanent_one_for_its_session_only(connect, rows):
    one, other = connect(autocommit=True).cursor(), connect(autocommit=True).cursor()
    one.execute("create table parts as select 1 as id")
    one.execute("create temp table parts as select 2 as id")
    assert rows(one, "select id from parts") == [(2,)]
    assert rows(one, "select id from public.parts") == [(1,)]
    assert rows(other, "select id from parts") == [(1,)]
    one.execute("drop table parts")
    assert rows(one, "select id from parts") == [(1,)]


def test_create_like_copies_types_and_not_null_but_no_defaults(cursor, failure, rows):
    cursor.execute("create table a (id int not null, v varchar(3) default 'x' encode zstd)")
    cursor.execute("create temp table b (like a)")
    cursor.execute("create temp table c (like a including defaults)")
    cursor.execute("insert into b (id) values (1)")
    cursor.execute("insert into c (id) values (1)")
    assert rows(cursor, "select v from b union all select v from c order by 1") == [("x",), (None,)]
    assert failure(cursor, "insert into b values (1, 'long')")["C"] == "22001"
    assert failure(cursor, "insert into b values (null, 'x')")["C"] == "23502"


def test_names_fold_to_lower_case_even_when_quoted(cursor, rows):
    cursor.execute('create table "Select" ("Order" int, "a b" int, "say ""hi""" int)')
    cursor.execute('insert into "SELECT" ("ORDER", "A B", "say ""hi""") values (1, 2, 3)')
    cursor.execute('select "Order", "a B", "say ""hi""" from "select"')
    assert [column[0] for column in cursor.description] == ["order", "a b", 'say "hi"']
    assert rows(cursor, 'select count(*) from "SELECT" where "ORDER" = 1') == [(1,)]


def test_names_are_cut_at_127_bytes(cursor, rows):
    cursor.execute(f"create table {'t' * 130} (id int)")
    assert rows(cursor, f"select count(*) from {'t' * 127}") == [(0,)]


def test_columns_without_alias_are_named_as_redshift_names_them(cursor):
    cursor.execute("select count(*), max(1), 1, 'a'::varchar, 1 + 1, getdate(), nvl(null, 1) as n")
    names = [column[0] for column in cursor.description]
    assert names == ["count", "max", "?column?", "varchar", "?column?", "getdate", "n"]


def test_varchar_is_measured_in_bytes(cursor, failure, rows):
    cursor.execute("create table words (word varchar(4))")
    cursor.execute("insert into words values ('ääää'::varchar(4))")
    assert rows(cursor, "select word from words") == [("ää",)]
    assert failure(cursor, "insert into words values ('äää')")["C"] == "22001"
    cursor.execute("insert into words values (%s)", ("ab     ",))
    assert rows(cursor, "select word || '|' from words where word like 'ab%'") == [("ab  |",)]


def test_char_takes_single_bytes_and_forgets_trailing_blanks(cursor, failure, rows):
    cursor.execute("create table codes (code char(3))")
    cursor.execute("insert into codes values ('ab   ')")
    assert rows(cursor, "select code || '|' from codes") == [("ab|",)]
    assert failure(cursor, "insert into codes values ('ä')")["C"] == "22001"
    assert failure(cursor, "insert into codes values ('abcd')")["C"] == "22001"


def test_every_type_comes_back_as_python_has_it(cursor, rows):
    cursor.execute(
        "create table kinds (a smallint, b integer, c bigint, d decimal(28,4), e real, f float8,"
        " g boolean, h varchar(20), i char(3), j date, k time, l timetz, m timestamp,"
        " n timestamptz, o super, p varbyte(10))"
    )
    moment = dt.datetime(2024, 2, 29, 23, 59, 59, 123456)
    cursor.execute(
        "insert into kinds values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,"
        " json_parse(%s), from_hex(%s))",
        (1, 2, 2**40, Decimal("-123456789012345678901234.5678"), 1.5, 0.1, True,
         "naïve", "abc", dt.date(2024, 2, 29), dt.time(1, 2, 3), "10:00:00+00", moment,
         moment.replace(tzinfo=dt.UTC), '{"a": [1, null]}', "00ff"),
    )  # fmt: skip
    assert rows(cursor, "select * from kinds") == [
        (1, 2, 2**40, Decimal("-123456789012345678901234.5678"), 1.5, 0.1, True,
         "naïve", "abc", dt.date(2024, 2, 29), dt.time(1, 2, 3), dt.time(10, tzinfo=dt.UTC), moment,
         moment.replace(tzinfo=dt.UTC), '{"a":[1,null]}', "00ff")
    ]  # fmt: skip


def test_nulls_of_every_type_come_back_as_none(cursor, rows):
    cursor.execute(
        "create table kinds (a smallint, d decimal(8,2), j date, n timestamptz, o super)"
    )
    cursor.execute("insert into kinds values (%s, %s, %s, %s, %s)", [None] * 5)
    assert rows(cursor, "select * from kinds") == [(None, None, None, None, None)]


def test_text_assigned_to_super_becomes_a_json_string(cursor, rows):
    cursor.execute("create table notes (note super)")
    cursor.execute("insert into notes values ('{\"a\": 1}'), (json_parse('{\"a\": 1}'))")
    typed = rows(cursor, "select json_typeof(note), json_serialize(note) from notes order by 1")
    assert typed == [("object", '{"a":1}'), ("string", '"{\\"a\\": 1}"')]


def test_super_is_navigated_from_nought(cursor, rows):
    cursor.execute("create table notes (note super)")
    cursor.execute('insert into notes select json_parse(\'{"tags": ["a", {"b": 2}]}\')')
    assert rows(cursor, "select note.tags[0], note.tags[1].b from notes") == [('"a"', "2")]


def test_a_backslash_escapes_in_a_literal_as_in_redshift(cursor, rows):
    assert rows(cursor, r"select 'a\'b', 'c\\d', 'e''f'") == [("a'b", "c\\d", "e'f")]


def test_arithmetic_is_redshifts(cursor, failure, rows):
    assert rows(cursor, "select 7 / 2, -7 / 2, 7 % 2") == [(3, -3, 1)]
    assert failure(cursor, "select 1 / 0") == {"S": "ERROR", "C": "22012", "M": "Divide by zero"}


def test_getdate_has_no_zone_and_no_fraction(cursor, rows):
    ((now, today),) = rows(cursor, "select getdate(), sysdate")
    assert now.tzinfo is None
    assert now.microsecond == 0
    assert abs(today - dt.datetime.now(dt.UTC).replace(tzinfo=None)) < dt.timedelta(minutes=1)


def test_keys_are_kept_but_not_enforced_and_not_null_is(cursor, failure, rows):
    cursor.execute("create table keyed (id int primary key, code varchar(5) unique)")
    cursor.execute("insert into keyed values (1, 'a'), (1, 'a')")
    assert rows(cursor, "select count(*) from keyed") == [(2,)]
    error = failure(cursor, "insert into keyed values (null, 'a')")
    assert error == {"S": "ERROR", "C": "23502", "M": "Cannot insert a NULL value into column id"}


def test_defaults_apply_where_no_value_is_given(cursor, rows):
    cursor.execute(
        "create table stamped (id int, at timestamp default getdate() not null,"
        " v varchar(5) default 'x')"
    )
    cursor.execute("insert into stamped (id, v) values (1, default), (2, 'y')")
    assert rows(cursor, "select id, at is not null, v from stamped order by id") == [
        (1, True, "x"),
        (2, True, "y"),
    ]


def test_a_varchar_is_widened_in_place_and_keeps_its_rows(orders, rows):
    orders.execute("alter table sales.orders alter column state type varchar(30)")
    orders.execute("update sales.orders set state = 'a state of 24 characters' where id = 1")
    assert rows(orders, "select state from sales.orders where id = 1") == [
        ("a state of 24 characters",)
    ]


def test_a_varchar_is_measured_in_bytes_when_its_length_changes(orders, rows, failure):
    orders.execute("update sales.orders set state = 'größer' where id = 1")
    orders.execute("alter table sales.orders alter column state type varchar(8)")
    assert rows(orders, "select state from sales.orders where id = 1") == [("größer",)]
    refused = failure(orders, "alter table sales.orders alter column state type varchar(7)")
    assert refused["C"] == "0A000"


def test_a_varbyte_is_not_narrowed_below_its_data(cursor, failure):
    cursor.execute("create table kept (b varbyte(4))")
    cursor.execute("insert into kept values (from_hex('aa00ff'))")
    cursor.execute("alter table kept alter column b type varbyte(3)")
    assert failure(cursor, "alter table kept alter column b type varbyte(2)")["C"] == "0A000"


def test_a_varchar_is_not_narrowed_below_its_data(orders, failure):
    orders.execute("alter table sales.orders alter column state type varchar(3)")
    assert (
        failure(orders, "alter table sales.orders alter column state type varchar(2)")["C"]
        == "0A000"
    )


def test_columns_come_and_go(orders, rows, failure):
    orders.execute("alter table sales.orders add column total decimal(8,2) default 0 not null")
    orders.execute("alter table sales.orders rename column state to status")
    orders.execute("alter table sales.orders drop column note")
    assert rows(orders, "select * from sales.orders where id = 1") == [(1, "new", Decimal("0.00"))]
    assert failure(orders, "alter table sales.orders add column total int")["C"] == "42701"


def test_append_moves_all_rows(orders, rows):
    orders.execute("create table sales.more (like sales.orders)")
    orders.execute("insert into sales.more (id) values (9)")
    orders.execute("alter table sales.orders append from sales.more")
    assert rows(orders, "select max(id) from sales.orders") == [(9,)]
    assert rows(orders, "select count(*) from sales.more") == [(0,)]


def test_views_follow_what_they_read(orders, rows):
    orders.execute("create view sales.new_ones as select id from sales.orders where state = 'new'")
    orders.execute(
        "create or replace view late (n) as "
        "select count(*) from sales.new_ones with no schema binding"
    )
    assert rows(orders, "select n from late") == [(2,)]
    orders.execute("drop view late")


def test_drops_forgive_only_when_told(cursor, failure):
    assert failure(cursor, "drop table nothing")["C"] == "42P01"
    cursor.execute("drop table if exists nothing")
    cursor.execute("create table something (id int)")
    assert failure(cursor, "create table something (id int)")["C"] == "42P07"
    cursor.execute("create table if not exists something (id int)")
    assert failure(cursor, "create table nowhere.something (id int)")["C"] == "3F000"
