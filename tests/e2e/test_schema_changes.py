"""A column appears, a text outgrows its column, an old file comes again: the table follows."""

from typing import Any

from tests.e2e.conftest import FIXED, GROWING
from tests.e2e.harness import LocalStack
from tidegate.ledger import LedgerTable

TABLE, PREFIX = str(GROWING["table"]), "dms/e2e/growing/"
OLD = b"Op,id,name\nI,1,old\nI,2,b\n"


def rows(stack: LocalStack, *columns: str) -> list[list[Any]]:
    return stack.query(f"select {', '.join(columns)} from {TABLE} order by id")


def columns_added(stack: LocalStack) -> list[list[str]]:
    ledger = LedgerTable(stack.client("dynamodb"), stack.variables["TIDEGATE_LEDGER_TABLE"])
    return [item["columns_added"] for item in ledger.query(f"TABLE#{TABLE}", "BATCH#")]


def test_a_table_follows_files_that_name_more_and_hold_longer_texts(stack: LocalStack) -> None:
    stack.land(PREFIX + "20240809-1.csv", OLD)
    stack.wait()
    assert rows(stack, "id", "name") == [[1, "old"], [2, "b"]]

    stack.land(PREFIX + "20240810-1.csv", b"Op,id,Remark,name\nU,1,x,new\n")
    stack.land(PREFIX + "20240811-1.csv", "Op,id,name\nI,3,größer als acht\n".encode())
    stack.wait()
    stack.land(PREFIX + "again/20240809-1.csv", OLD)
    stack.wait()
    expected = [[1, "new", "x"], [2, "b", None], [3, "größer als acht", None]]
    assert rows(stack, "id", "name", "remark") == expected
    assert [added for added in columns_added(stack) if added] == [["remark"]]
    status = stack.table_status(TABLE)
    assert (status.state, status.quarantined_files, status.quarantined_rows) == ("idle", 0, 0)
    assert status.evolved_columns == ["remark"]


def test_text_that_redshift_does_not_let_a_column_take_refuses_its_row_only(
    stack: LocalStack,
) -> None:
    table, prefix = str(FIXED["table"]), "dms/e2e/fixed/"
    schema = table.partition(".")[0]
    stack.query(f"create schema if not exists {schema}")
    stack.query(f"create table {table} (id integer, name varchar(8) default 'none')")
    stack.land(prefix + "20240809-1.csv", b"Op,id,name\nI,1,longer than eight\nI,2,b\n")
    stack.wait()
    assert stack.query(f"select id, name from {table}") == [[2, "b"]]
    status = stack.table_status(table)
    assert (status.state, status.quarantined_rows, status.last_error) == ("idle", 1, None)
