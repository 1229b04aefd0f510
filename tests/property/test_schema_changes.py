"""Schema drift: files with more columns, fewer columns or longer texts, and the resulting table."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from glue_jobs import load_batch
from tests.property.pipeline import Pipeline, Table
from tests.unit.samples import contract
from tidegate.batch.applied import AppliedContract, applied_contract
from tidegate.batch.plan import BatchFolder, Plan, PreparedChunk
from tidegate.contract.widening import keep_narrow

D8, D9, D10, D11 = (f"202408{day:02d}-1.csv" for day in (8, 9, 10, 11))
LOAD = "LOAD00000001.csv"
COLUMNS = {"id": "integer", "name": "varchar(8)"}
OPTIONS = {"header": True, "null": "", "timestamp": "at"}
OPERATIONS = {"I": "insert", "U": "update", "D": "delete", "T": "truncate"}
LONG = "größer als acht"  # 15 characters, 17 bytes


class Growing:
    """A table whose files change, batch after batch."""

    def __init__(self, pipeline: Pipeline, **more: Any) -> None:
        given = {"columns": COLUMNS, "evolve": "add", "options": OPTIONS} | more
        self.declared = contract(table=pipeline.new_name(), **given)
        self.table = Table(pipeline, self.declared)
        self.evolve = pipeline.shop.evolve
        self.before: AppliedContract | None = None
        self.narrow: dict[str, int] = {}
        self.batch = 0

    def plan(self, files: Mapping[str, str | bytes]) -> Plan:
        self.batch += 1
        landed = [self.table.land(name, as_bytes(content)) for name, content in files.items()]
        evolved = self.evolve(self.declared, self.before, landed)
        self.table.contract = keep_narrow(evolved.contract, self.narrow)
        self.before = applied_contract(evolved.contract, evolved.columns)
        return self.table.plan(self.batch, self.batch, [landed])

    def take(self, files: Mapping[str, str | bytes]) -> PreparedChunk:
        """Land files and load them as one batch; give what was prepared."""
        plan = self.plan(files)
        self.table.load(plan)
        folder = BatchFolder(plan.table, plan.batch, plan.fence)
        return self.table.pipeline.shop.work.read(folder.prepared(0), PreparedChunk)

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        return sorted(self.table.rows("id", "name", *columns))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.table.pipeline.session() as connection:
            connection.autocommit = True
            cursor = connection.cursor().execute(sql)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def width(self, column: str, like: str = "") -> int | None:
        """How many bytes a column of the target, or of a table beside it, can hold."""
        schema, _, name = self.declared.table.partition(".")
        place = ("tidegate", f"{schema}__{name}__{like}") if like else (schema, name)
        [(width,)] = self.query(
            "select character_maximum_length from svv_columns where table_schema = "
            f"'{place[0]}' and table_name = '{place[1]}' and column_name = '{column}'"
        )
        return width


@pytest.fixture
def growing(pipeline) -> Growing:
    return Growing(pipeline)


def as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def lines(header: str, *records: str) -> str:
    return "".join(f"{line}\n" for line in (header, *records))


EVERY_MODE: dict[str, dict[str, Any]] = {
    "upsert": {},
    "soft_delete": {"write": "soft_delete"},
    "history": {"write": "history"},
    "append": {"write": "append"},
    "replace": {"write": "replace"},
    "partial": {"partial": True},
}


@pytest.mark.parametrize("mode", EVERY_MODE)
def test_pain_14_a_column_that_appears_in_the_middle_of_a_file_set_is_added(pipeline, mode):
    growing = Growing(pipeline, **EVERY_MODE[mode])
    # What sorts last by its name is the table, where it is replaced.
    first = "20240807-1.csv" if mode == "replace" else LOAD
    growing.take({first: lines("id,name,at", "1,a,2024-08-08"), D8: lines("Op,at,id,name")})
    growing.take(
        {
            D9: lines("Op,at,id,name", "I,2024-08-09 01:00:00,2,b"),
            D10: lines("Op,at,id,Remark,name", "I,2024-08-10 01:00:00,3,new,c"),
        }
    )
    growing.take({D11: lines("Op,Remark,at,id,name", "I,again,2024-08-11,4,d")})
    expected = [(1, "a", None), (2, "b", None), (3, "c", "new"), (4, "d", "again")]
    assert growing.rows("remark") == (expected[-1:] if mode == "replace" else expected)


def with_rows(growing: Growing) -> Growing:
    """The same, whose target somebody else has made and filled."""
    name = growing.declared.table
    growing.query("create schema if not exists sales")
    growing.query(f"create table {name} (id integer not null, name varchar(8))")
    growing.query(f"insert into {name} values (1, 'a'), (2, 'b'), (3, 'c')")
    return growing


@pytest.mark.parametrize("mode", ["upsert", "soft_delete"])
def test_rows_of_a_table_that_was_there_are_older_than_all_that_lands(pipeline, mode):
    growing = with_rows(Growing(pipeline, operations=OPERATIONS, **EVERY_MODE[mode]))
    growing.take({D9: lines("Op,at,id,name", "U,2024-08-09,1,A", "D,2024-08-09,2,")})
    where = "where _deleted_at is null" if mode == "soft_delete" else ""
    query = f"select id, name from {growing.declared.table} {where} order by id"
    assert growing.query(query) == [(1, "A"), (3, "c")]
    growing.take({D10: lines("Op,at,id,name", "T,2024-08-10,,", "I,2024-08-11,4,d")})
    assert growing.query(query) == [(4, "d")]


def test_table_that_was_there_is_not_created_which_its_schema_may_not_allow(pipeline, capsys):
    growing = with_rows(Growing(pipeline))
    growing.take({D9: lines("Op,at,id,name", "U,2024-08-09,1,A")})
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    ran = [one["statement"] for one in said if one["message"] == "ran"]
    created = [statement for statement in ran if statement.startswith("create_")]
    assert not {"create_target_schema", "create_target"} & {*created}
    assert {"create_control_schema", "create_batches", "create_tombstones"} < {*created}


def test_catalogue_that_changes_while_it_is_read_is_no_fault_of_the_batch(growing):
    growing.take({D9: lines("Op,at,id,name", "I,2024-08-09,1,a")})
    plan = growing.plan({D10: lines("Op,at,id,name", "I,2024-08-10,2,b")})
    gone = plan.load.describe.model_copy(update={"sql": "select * from dropped_meanwhile"})
    load = plan.load.model_copy(update={"describe": gone})
    growing.table.prepare(plan)
    with pytest.raises(load_batch.WarehouseBusyError, match="catalogue cannot be read"):
        growing.table.load(plan.model_copy(update={"load": load}))
    growing.table.load(plan)
    assert growing.rows() == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("mode", ["history", "partial"])
def test_table_that_was_there_is_not_made_anew_of_changes_that_nobody_kept(pipeline, mode):
    growing = with_rows(Growing(pipeline, **EVERY_MODE[mode]))
    with pytest.raises(load_batch.ContractError, match="was not created by Tidegate"):
        growing.take({D9: lines("Op,at,id,name", "U,2024-08-09,1,A")})
    query = f"select id, name from {growing.declared.table} order by id"
    assert growing.query(query) == [(1, "a"), (2, "b"), (3, "c")]


def test_a_new_column_takes_any_text_and_is_added_once(growing):
    growing.take({D9: lines("Op,at,id,name,Note", f"I,2024-08-09,1,a,{'x' * 60_000}")})
    growing.take({D10: lines("Op,at,id,name,Note", "U,2024-08-10,1,b,short")})
    assert growing.rows("note") == [(1, "b", "short")]
    assert growing.width("note") == 65_535


def test_a_name_that_cannot_be_a_column_is_left_unread_and_the_rest_lands(growing):
    given = lines("Op,at,id,name,ctid,NAME,Extra,EXTRA", "I,2024-08-09,1,a,x,x,first,second")
    prepared = growing.take({D9: given})
    assert growing.rows("extra") == [(1, "a", "first")]
    assert prepared.unread == ["EXTRA", "NAME", "ctid"]


def test_pain_15_a_file_from_before_a_column_was_added_loads_after_it(growing):
    old = {D9: lines("Op,at,id,name", "I,2024-08-09,1,a", "I,2024-08-09,2,b")}
    growing.take(old)
    growing.take({D10: lines("Op,at,id,name,remark", "U,2024-08-10,1,a,new")})
    growing.take(old)
    growing.take({D11: lines("Op,at,id,name", "U,2024-08-11,2,c")})
    assert growing.rows("remark") == [(1, "a", "new"), (2, "c", None)]


def test_an_update_from_a_file_without_a_column_makes_it_null(growing):
    growing.take({D9: lines("Op,at,id,name,remark", "I,2024-08-09,1,a,kept?")})
    growing.take({D10: lines("Op,at,id", "U,2024-08-10,1")})
    assert growing.rows("remark") == [(1, None, None)]


def test_a_partial_update_from_a_file_without_a_column_keeps_it(pipeline):
    growing = Growing(pipeline, partial=True)
    growing.take({D8: lines("Op,at,id,name", "I,2024-08-08,1,a")})
    growing.take({D10: lines("Op,at,id,name,remark", "U,2024-08-10,1,b,kept")})
    growing.take({D11: lines("Op,at,id,note", "U,2024-08-11,1,more")})
    growing.take({D9: lines("Op,at,id,name,remark", "U,2024-08-09,1,late,late")})
    assert growing.rows("remark", "note") == [(1, "b", "kept", "more")]


@pytest.mark.parametrize("mode", EVERY_MODE)
def test_pain_17_a_text_longer_than_its_column_widens_it(pipeline, mode):
    growing = Growing(pipeline, **EVERY_MODE[mode])
    growing.take({LOAD: lines("id,name,at", "1,short,2024-08-09")})
    assert growing.width("name") == 8
    growing.take(
        {"LOAD00000002.csv": lines("id,name,at", f"2,{LONG},2024-08-10", "3,b,2024-08-10")}
    )
    assert growing.width("name") == 32
    expected = [(1, "short"), (2, LONG), (3, "b")]
    assert growing.rows() == (expected[1:] if mode == "replace" else expected)


def test_a_column_is_widened_for_the_longest_text_and_not_again_for_shorter_ones(growing):
    growing.take({D9: lines("Op,at,id,name", f"I,2024-08-09,1,{'x' * 40_000}")})
    growing.take({D10: lines("Op,at,id,name", f"I,2024-08-10,2,{'x' * 9}")})
    assert growing.width("name") == 65_535


def test_the_changes_that_are_remembered_are_widened_with_the_target(pipeline):
    growing = Growing(pipeline, write="history")
    growing.take({D9: lines("Op,at,id,name", "I,2024-08-09,1,a")})
    growing.take({D10: lines("Op,at,id,name", f"U,2024-08-10,1,{LONG}")})
    assert growing.width("name", like="change_log") == 32


def test_a_column_that_is_wider_than_its_contract_is_left_so(growing):
    growing.query("create schema if not exists sales")
    growing.query(f"create table {growing.declared.table} (id integer, name varchar(20))")
    growing.take({D9: lines("Op,at,id,name", f"I,2024-08-09,1,{LONG}")})
    assert (growing.rows(), growing.width("name")) == ([(1, LONG)], 20)


def test_text_too_long_for_a_column_that_redshift_does_not_widen_refuses_its_row_only(pipeline):
    growing = Growing(pipeline)
    table = growing.declared.table
    growing.query("create schema if not exists sales")
    growing.query(f"create table {table} (id integer, name varchar(9) default 'none')")
    long = {D9: lines("Op,at,id,name", f"I,2024-08-09,1,{LONG}", "I,2024-08-09,2,nine byte")}
    with pytest.raises(
        load_batch.TooNarrowError, match=r"does not widen 'name' \(9 bytes\)"
    ) as why:
        growing.take(long)
    assert (growing.rows(), why.value.narrow) == ([], {"name": 9})

    growing.narrow = why.value.narrow
    prepared = growing.take(long)
    assert (growing.rows(), prepared.files[0].refused) == ([(2, "nine byte")], 1)
    assert growing.width("name") == 9


def test_column_that_its_contract_makes_wider_than_redshift_does_stops_the_table(pipeline):
    growing = Growing(pipeline)
    growing.query("create schema if not exists sales")
    growing.query(
        f"create table {growing.declared.table} (id integer, name varchar(7) default 'none')"
    )
    with pytest.raises(load_batch.ContractError) as caught:
        growing.take({D9: lines("Op,at,id,name", "I,2024-08-09,1,a")})
    name = growing.declared.table.partition(".")[2]
    assert str(caught.value) == (
        f"column 'name' of sales.{name} has 7 bytes, which is too narrow, and Redshift does not "
        f'widen it to 8 (cannot alter column "name" of relation "{name}", it has a default value '
        "(SQLSTATE 0A000)); replace the column by a wider one by hand, or change the contract"
    )


def test_a_varchar_that_its_contract_widens_is_widened_with_add_only(pipeline):
    ignoring = Growing(pipeline, evolve="ignore")
    ignoring.take({D9: lines("Op,at,id,name", "I,2024-08-09,1,a")})
    wider = contract(
        COLUMNS | {"name": "varchar(30)"},
        table=ignoring.declared.table,
        options=OPTIONS,
    )
    ignoring.declared = wider
    told = r"column 'name' of sales\.\w+ is character varying\(8\), but its contract needs"
    with pytest.raises(load_batch.ContractError, match=told):
        ignoring.take({D10: lines("Op,at,id,name", "I,2024-08-10,2,b")})
    ignoring.declared = wider.model_copy(update={"evolve": "add"})
    ignoring.take({D10: lines("Op,at,id,name", "I,2024-08-10,2,b")})
    assert ignoring.width("name") == 30


@pytest.mark.parametrize("mode", ["history", "partial"])
def test_a_column_that_its_contract_gains_is_added_to_what_is_remembered_too(pipeline, mode):
    growing = Growing(pipeline, **(EVERY_MODE[mode] | {"evolve": "ignore"}))
    growing.take({D9: lines("Op,at,id,name", "I,2024-08-09,1,a")})
    columns = {"city": "varchar(9)", **COLUMNS}
    growing.declared = contract(
        columns,
        table=growing.declared.table,
        options=OPTIONS,
        **EVERY_MODE[mode],
    )
    growing.take({D10: lines("Op,at,id,name,city", "I,2024-08-10,2,b,Rome")})
    assert growing.rows("city") == [(1, "a", None), (2, "b", "Rome")]


def test_pain_16_a_catalogue_that_shows_nothing_stops_the_table_and_drops_nothing(growing):
    growing.take({D9: lines("Op,at,id,name", "I,2024-08-09,1,a")})
    plan = growing.plan({D10: lines("Op,at,id,name", "I,2024-08-10,2,b")})
    blind = plan.load.describe.model_copy(update={"sql": plan.load.describe.sql + "\nlimit 0"})
    load = plan.load.model_copy(update={"describe": blind})
    with pytest.raises(load_batch.ContractError, match=r"user does not see .*; grant it"):
        growing.table.load(plan.model_copy(update={"load": load}))
    assert growing.rows() == [(1, "a")]


def test_table_that_was_dropped_is_not_made_anew_without_its_rows_but_by_a_refresh(growing):
    growing.take({D9: lines("Op,at,id,name", "I,2024-08-09,1,a")})
    growing.query(f"drop table {growing.declared.table}")
    plan = growing.plan({D10: lines("Op,at,id,name", "I,2024-08-10,2,b")})
    with pytest.raises(
        load_batch.ContractError, match=r"is gone, though it was loaded \(batches: 1\)"
    ):
        growing.table.load(plan)
    landed = growing.table.land(LOAD, lines("id,name,at", "1,a,2024-08-08").encode())
    growing.table.load(growing.table.plan(9, 9, [[landed]], epoch=2, refreshes=True))
    assert growing.rows() == [(1, "a")]


def test_a_key_that_its_contract_widens_is_widened_in_the_tombstones_too(pipeline):
    growing = Growing(pipeline, columns={"id": "varchar(2)", "name": "varchar(8)"})
    growing.take({D9: lines("Op,at,id,name", "I,2024-08-09,a,a", "I,2024-08-09,long,b")})
    assert growing.rows() == [("a", "a")]
    growing.declared = contract(
        {"id": "varchar(20)", "name": "varchar(8)"},
        table=growing.declared.table,
        options=OPTIONS,
        evolve="add",
    )
    growing.take({D10: lines("Op,at,id,name", "D,2024-08-10,long,", "I,2024-08-10,longer,c")})
    assert growing.rows() == [("a", "a"), ("longer", "c")]
    assert (growing.width("id"), growing.width("id", like="tombstones")) == (20, 20)


def test_the_job_says_what_it_added_and_widened(growing, capsys):
    growing.take({D9: lines("Op,at,id,name", "I,2024-08-09,1,a")})
    capsys.readouterr()
    growing.take({D10: lines("Op,at,id,name,remark", f"I,2024-08-10,2,{LONG},x")})
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    table = growing.declared.table
    assert [one for one in said if one["message"] in {"added", "widened"}] == [
        {"message": "widened", "table": table, "column": "name", "bytes": 32},
        {"message": "added", "table": table, "column": "remark"},
    ]
