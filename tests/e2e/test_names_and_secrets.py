"""Odd names work or are refused, never injected; and no secret stands anywhere it can be read."""

import json
from decimal import Decimal

from tests.e2e.conftest import ODD, FreshTable
from tests.e2e.customers import FILES, SNAPSHOT
from tests.e2e.harness import LocalStack
from tidegate.local.control import RunningStack


def test_names_with_quotes_blanks_signs_and_reserved_words_work_all_the_way(
    stack: LocalStack,
) -> None:
    prefix = str(ODD["source"]["prefix"])
    stack.land(prefix + "LOAD 1 + %20 ü.csv", b"1,Am Tor,1.50,a\n2,NULL,NULL,\n")
    stack.wait()
    stack.land(
        prefix + "20240809-192717787.csv", b'U,1,"Robert\'); drop table x; --",2.00,%s\nD,2,,,\n'
    )
    stack.wait()
    table = '"e2e odd"."order ""by"" \'select\'; --"'
    columns = '"select", "straße ""x"" {y}", "100%", "path"'
    assert stack.query(f"select {columns} from {table}") == [
        [1, "Robert'); drop table x; --", Decimal("2.00"), "%s"]
    ]
    assert stack.table_status(str(ODD["table"])).applied_files == 2


def test_the_password_stands_in_no_object_input_history_item_or_log(
    stack: LocalStack, table: FreshTable
) -> None:
    stack.land(table.prefix + SNAPSHOT, (FILES / SNAPSHOT).read_bytes())
    stack.wait()
    password = stack.variables["PGPASSWORD"]
    [run] = stack.runs_of(table.name)
    history = stack.runs.get_execution_history(executionArn=run, maxResults=1000)["events"]
    log = json.dumps(RunningStack(stack.port).log())
    assert table.name in log
    seen = [json.dumps(history, default=str), log, *objects(stack, table), *items(stack)]
    assert len(seen) > 4
    assert not [text for text in seen if password in text]


def objects(stack: LocalStack, table: FreshTable) -> list[str]:
    bucket = stack.variables["TIDEGATE_WORK_BUCKET"]
    listed = stack.s3.list_objects_v2(Bucket=bucket, Prefix=f"batches/{table.name}/")["Contents"]
    bodies = [stack.s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listed]
    return [body.decode("latin-1") for body in bodies]


def items(stack: LocalStack) -> list[str]:
    scanned = stack.client("dynamodb").scan(TableName=stack.variables["TIDEGATE_LEDGER_TABLE"])
    return [json.dumps(item) for item in scanned["Items"]]
