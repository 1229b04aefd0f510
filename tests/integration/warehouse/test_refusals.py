"""What Redshift refuses, the local warehouse refuses too."""

import pytest

SETUP = [
    "create schema sales",
    "create table sales.orders (id integer, state varchar(10), total decimal(8,2))",
    "create table stage (id integer, state varchar(10), total decimal(8,2))",
    "create table wide (id integer not null, long varchar(10) encode bytedict)",
    "create view seen as select * from stage",
]
MATCHED = "when matched then update set state = s.state"
INSERTED = "when not matched then insert (id, state) values (s.id, s.state)"
MERGE = "merge into sales.orders using stage s on sales.orders.id = s.id"


@pytest.fixture
def prepared(cursor):
    for statement in SETUP:
        cursor.execute(statement)
    return cursor


def test_a_plain_merge_is_accepted(prepared):
    prepared.execute(f"{MERGE} {MATCHED} {INSERTED}")
    assert prepared.rowcount == -1


REFUSED = {
    "merge with a condition": (
        f"{MERGE} when matched and s.id > 1 then delete {INSERTED}",
        "42601",
    ),
    "merge that only updates": (f"{MERGE} {MATCHED}", "42601"),
    "merge that only inserts": (f"{MERGE} {INSERTED}", "42601"),
    "merge that inserts first": (f"{MERGE} {INSERTED} {MATCHED}", "42601"),
    "merge with two matched branches": (f"{MERGE} {MATCHED} {MATCHED} {INSERTED}", "42601"),
    "merge by source": (f"{MERGE} {MATCHED} when not matched by source then delete", "42601"),
    "merge that does nothing": (f"{MERGE} {MATCHED} when not matched then do nothing", "42601"),
    "merge that updates all": (f"{MERGE} when matched then update set * {INSERTED}", "42601"),
    "merge that inserts all": (f"{MERGE} {MATCHED} when not matched then insert *", "42601"),
    "merge that says not what": (
        f"{MERGE} when matched then update when not matched then insert",
        "42601",
    ),
    "merge using columns": (
        f"merge into sales.orders using stage using (id) {MATCHED} {INSERTED}",
        "42601",
    ),
    "what nobody understands": ("select $$a$$", "XX000"),
    "merge with a target alias": (
        f"merge into sales.orders o using stage s on o.id = s.id {MATCHED} {INSERTED}",
        "42601",
    ),
    "merge after with": (
        (
            "with s as (select * from stage) merge into sales.orders using s "
            f"on sales.orders.id = s.id {MATCHED} {INSERTED}"
        ),
        "42601",
    ),
    "merge that sets a prefixed column": (
        f"{MERGE} when matched then update set orders.state = s.state {INSERTED}",
        "42601",
    ),
    "merge that inserts a prefixed column": (
        f"{MERGE} {MATCHED} when not matched then insert (orders.id) values (s.id)",
        "42601",
    ),
    "merge from the target": (
        (
            "merge into sales.orders using (select * from sales.orders) s "
            f"on sales.orders.id = s.id {MATCHED} {INSERTED}"
        ),
        "0A000",
    ),
    "merge remove duplicates": (f"{MERGE} remove duplicates", "0A000"),
    "delete with an alias": ("delete from stage as s where s.id = 1", "42601"),
    "update with a prefixed column": ("update stage set stage.id = 1", "42601"),
    "on conflict": ("insert into stage (id) values (1) on conflict do nothing", "42601"),
    "returning": ("insert into stage (id) values (1) returning id", "42601"),
    "insert or replace": ("insert or replace into stage (id) values (1)", "42601"),
    "insert by name": ("insert into stage by name select 1 as id", "42601"),
    "create index": ("create index fast on stage (id)", "42601"),
    "create sequence": ("create sequence numbers", "42601"),
    "two statements": ("select 1; select 2", "42601"),
    "add column if not exists": ("alter table stage add column if not exists a int", "42601"),
    "two columns in one add": ("alter table stage add column a int, add column b int", "42601"),
    "two columns after one add": ("alter table stage add column a int, b int", "42601"),
    "add of a sort key": ("alter table stage add column a int sortkey", "0A000"),
    "add of not null without default": ("alter table stage add column a int not null", "0A000"),
    "alter of a number's type": ("alter table stage alter column id type bigint", "0A000"),
    "alter of a byte dictionary": ("alter table wide alter column long type varchar(20)", "0A000"),
    "alter of a type with using": (
        "alter table stage alter column state type varchar(20) using state",
        "42601",
    ),
    "alter of a default": ("alter table stage alter column state set default 'a'", "42601"),
    "rename to another schema": ("alter table stage rename to sales.stage", "42601"),
    "temporary table with a schema": ("create temp table sales.temporary (id int)", "42P16"),
    "check constraint": ("create table checked (id int check (id > 0))", "42601"),
    "more than 1600 columns": (
        f"create table huge ({', '.join(f'c{n} int' for n in range(1601))})",
        "54011",
    ),
    "uuid": ("create table odd (id uuid)", "42704"),
    "jsonb": ("select '{}'::jsonb", "42704"),
    "array column": ("create table odd (tags text[])", "0A000"),
    "array cast": ("select '{1}'::int[]", "0A000"),
    "string_agg": ("select string_agg(state, ',') from stage", "42883"),
    "array_agg": ("select array_agg(state) from stage", "42883"),
    "generate_series": ("insert into stage (id) select generate_series(1, 10)", "42883"),
    "read_csv": ("select * from read_csv('/etc/passwd')", "42883"),
    "read_parquet": ("select * from read_parquet('x.parquet')", "42883"),
    "duckdb_tables": ("select * from duckdb_tables()", "42883"),
    "getvariable": ("select getvariable('password')", "42883"),
    "a file as a table": ("select * from '/etc/passwd'", "42P01"),
    "a struct": ("select {'a': 1}", "42601"),
    "a list": ("select [1, 2]", "42601"),
    "from without select": ("from stage", "42601"),
    "values alone": ("values (1)", "42601"),
    "values in from": ("select * from (values (1), (2)) v(a)", "42601"),
    "distinct on": ("select distinct on (id) id from stage", "0A000"),
    "filter": ("select count(*) filter (where id > 1) from stage", "42601"),
    "lateral": ("select * from stage, lateral (select 1) l", "42601"),
    "semi join": ("select * from stage semi join wide on stage.id = wide.id", "42601"),
    "tablesample": ("select * from stage tablesample reservoir(10)", "42601"),
    "pragma": ("pragma database_list", "42601"),
    "attach": ("attach ':memory:' as other", "42601"),
    "install": ("install httpfs", "42601"),
    "writing to a view": ("insert into seen (id) values (1)", "42809"),
    "lock of a view": ("begin; lock seen", "42601"),
    "another database": ("select * from prod.sales.orders", "0A000"),
    "procedures, which are not supported locally": ("call load()", "0A000"),
    "another search path": ("set search_path to sales", "22023"),
    "case-sensitive identifiers": ("set enable_case_sensitive_identifier to true", "22023"),
}


@pytest.mark.parametrize(("statement", "code"), REFUSED.values(), ids=list(REFUSED))
def test_it_is_refused(prepared, failure, statement, code):
    error = failure(prepared, statement)
    assert (error["S"], error["C"]) == ("ERROR", code), error


def test_merge_names_the_word_it_stumbles_over(prepared, failure):
    error = failure(prepared, f"{MERGE} when matched and s.id > 1 then delete {INSERTED}")
    assert error["M"] == 'syntax error at or near "and"'


def test_several_statements_in_one_execute_are_refused_as_redshift_words_it(prepared, failure):
    error = failure(prepared, "select 1; select 2")
    assert error["M"] == "cannot insert multiple commands into a prepared statement"


def test_a_semicolon_in_a_literal_or_at_the_end_is_no_second_statement(prepared, rows):
    assert rows(prepared, "select 'a;b' as one -- not; two\n;") == [("a;b",)]


def test_alter_column_type_is_refused_in_a_transaction_block(prepared, failure):
    prepared.execute("begin")
    error = failure(prepared, "alter table stage alter column state type varchar(20)")
    message = "ALTER TABLE ALTER COLUMN cannot run inside a transaction block"
    assert (error["C"], error["M"]) == ("25001", message)


def test_alter_table_append_is_refused_in_a_transaction_block(prepared, failure):
    prepared.execute("begin")
    assert failure(prepared, "alter table stage append from sales.orders")["C"] == "25001"


def test_a_key_column_cannot_be_widened(prepared, failure):
    prepared.execute("create table keyed (code varchar(5) primary key)")
    assert failure(prepared, "alter table keyed alter column code type varchar(9)")["C"] == "0A000"


def test_a_statement_of_more_than_16_megabytes_is_refused(prepared, failure):
    assert failure(prepared, f"select '{'x' * 17_000_000}'")["C"] == "54000"
