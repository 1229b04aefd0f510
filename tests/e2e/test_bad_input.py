"""What cannot be loaded is listed with its reason, stops nothing beside it, and is never lost."""

import json

from tests.e2e.conftest import FreshTable
from tests.e2e.customers import CHANGES, FILES, SNAPSHOT, model
from tests.e2e.harness import LocalStack, until
from tests.e2e.test_main_job import rows
from tests.unit.samples import parquet


def test_an_object_under_no_contract_is_listed_as_unrouted(stack: LocalStack) -> None:
    before = stack.status().unrouted
    stack.land("nobody/claims/this ünroutable file.csv", b"1\n")
    stack.land("nobody/claims/awsdms_status/LOAD00000001.csv", b"1\n")
    stack.land("nobody/claims/", b"")
    stack.land("nobody/claims/_SUCCESS", b"")
    stack.wait()
    assert stack.status().unrouted == before + 1
    listed = stack.command("quarantine", "--limit=100000").stdout.splitlines()
    assert "unrouted: nobody/claims/this ünroutable file.csv: no contract claims it" in listed


def test_an_empty_file_is_applied_as_nothing(stack: LocalStack, table: FreshTable) -> None:
    stack.land(table.prefix + SNAPSHOT, b"")
    stack.wait()
    status = stack.table_status(table.name)
    assert (status.applied_files, status.quarantined_files, status.pending) == (1, 0, 0)
    assert rows(stack, table) == {}


def test_pain_26_a_file_with_a_wrong_number_of_columns_is_quarantined_and_the_rest_lands(
    stack: LocalStack, table: FreshTable
) -> None:
    good, changes = ((FILES / name).read_bytes() for name in (SNAPSHOT, CHANGES))
    with_a_column_more = changes.replace(b"85100.00\n", b"85100.00,x\n", 1)
    stack.land(table.prefix + "20240812-000000000.csv", with_a_column_more)
    stack.land(table.prefix + SNAPSHOT, good)
    stack.wait()
    assert rows(stack, table) == model(good)
    status = stack.table_status(table.name)
    assert (status.applied_files, status.quarantined_files, status.pending) == (1, 1, 0)
    [item] = quarantined(stack, table)
    assert item["key"]["S"] == table.prefix + "20240812-000000000.csv"
    assert item["reason"]["S"] == "line 1: it has more than 14 columns"
    assert stack.command("quarantine", table.name).stdout.splitlines() == [
        f"{table.name}: {item['key']['S']}: line 1: it has more than 14 columns"
    ]


def test_a_row_that_cannot_be_loaded_is_quarantined_with_its_reason(
    stack: LocalStack, table: FreshTable
) -> None:
    good = (FILES / SNAPSHOT).read_bytes()
    bad = b"I,999,N,L,F,1,A,,C,,1,X,not a number,1.00\nI,998,N,L,F,1,A,,C,,1,X,1,1.00\n"
    stack.land(table.prefix + SNAPSHOT, good)
    stack.land(table.prefix + "20240812-000000000.csv", bad)
    stack.wait()
    assert set(rows(stack, table)) == {*model(good), 998}
    assert stack.table_status(table.name).quarantined_rows == 1
    bucket = stack.variables["TIDEGATE_WORK_BUCKET"]
    listed = stack.s3.list_objects_v2(Bucket=bucket, Prefix=f"quarantine/{table.name}/")["Contents"]
    [line] = stack.s3.get_object(Bucket=bucket, Key=listed[0]["Key"])["Body"].read().splitlines()
    refused = json.loads(line)
    assert refused["file"] == table.prefix + "20240812-000000000.csv"
    assert refused["record"] == 1
    assert refused["reason"] == "column 'sales_rep_employee_number' is not a valid integer"
    assert refused["fields"]["customerNumber"] == "999"
    told = stack.command("quarantine", table.name, "--json").stdout
    assert json.loads(told) == {
        "table": table.name,
        **{name: refused[name] for name in ("file", "record", "reason")},
    }


def test_a_file_that_prepare_chunk_dies_of_is_set_aside_and_its_neighbours_are_loaded(
    stack: LocalStack,
) -> None:
    """DuckDB refuses to read a column of the name that Tidegate gives to the path of the file."""
    table, prefix = "formats.deadly", "formats/deadly/"
    of_one_row = "select {} as id, 1.5 as amount"
    deadly = of_one_row.format(9) + ', 1 as "tidegate: the path of the file"'
    stack.land(f"{prefix}2-deadly", parquet(deadly))
    for number in (1, 2, 3):
        stack.land(f"{prefix}{number}", parquet(of_one_row.format(number)))
    stack.wait()
    assert stack.query(f"select id from {table} order by id") == [[1], [2], [3]]
    status = stack.table_status(table)
    assert (status.state, status.applied_files, status.quarantined_files) == ("idle", 3, 1)
    [told] = stack.command("quarantine", table).stdout.splitlines()
    assert told.startswith(
        f"{table}: {prefix}2-deadly: prepare_chunk died twice on this file alone (BinderE"
    )


def test_a_terminal_failure_blocks_the_table_tells_people_and_loses_nothing(
    stack: LocalStack, table: FreshTable
) -> None:
    inbox = subscribe(stack)
    stack.query("create schema if not exists e2e")
    stack.query(f"create table {table.name} (customer_number varchar(5))")
    stack.land(table.prefix + SNAPSHOT, (FILES / SNAPSHOT).read_bytes())
    until(lambda: stack.table_status(table.name).state == "blocked", what="no block")
    assert stack.table_status(table.name).pending == 1
    assert f"Tidegate: {table.name} is blocked" in letters(stack, inbox)
    waited = stack.command("wait", "--timeout=30", check=False)
    assert waited.returncode == 1
    assert f"{table.name}: blocked, 1 file pending: ContractError" in waited.stderr

    stack.query(f"drop table {table.name}")
    started = stack.command("start", table.name)
    assert started.stdout.splitlines()[-1] == f"{table.name}: all landed files are loaded"
    assert rows(stack, table) == model((FILES / SNAPSHOT).read_bytes())
    assert stack.table_status(table.name).state == "idle"


def test_a_batch_whose_plan_expired_while_its_table_was_blocked_is_planned_anew(
    stack: LocalStack, table: FreshTable
) -> None:
    stack.query("create schema if not exists e2e")
    stack.query(f"create table {table.name} (customer_number varchar(5))")
    stack.land(table.prefix + SNAPSHOT, (FILES / SNAPSHOT).read_bytes())
    until(lambda: stack.table_status(table.name).state == "blocked", what="no block")
    expire(stack, f"batches/{table.name}/")
    stack.query(f"drop table {table.name}")
    assert stack.command("start", table.name).returncode == 0
    assert rows(stack, table) == model((FILES / SNAPSHOT).read_bytes())


def expire(stack: LocalStack, prefix: str) -> None:
    """What the lifecycle of the work bucket does in the end."""
    work = {"Bucket": stack.variables["TIDEGATE_WORK_BUCKET"]}
    listed = stack.s3.list_objects_v2(**work, Prefix=prefix)["Contents"]
    for one in listed:
        stack.s3.delete_object(**work, Key=one["Key"])


def quarantined(stack: LocalStack, table: FreshTable) -> list[dict[str, dict[str, str]]]:
    return stack.client("dynamodb").query(
        TableName=stack.variables["TIDEGATE_LEDGER_TABLE"],
        KeyConditionExpression="pk = :pk and begins_with(sk, :sk)",
        ExpressionAttributeValues={
            ":pk": {"S": f"TABLE#{table.name}"},
            ":sk": {"S": "QUARANTINE#"},
        },
    )["Items"]


def subscribe(stack: LocalStack) -> str:
    """A queue that gets what the topic Alerts sends, as a user's own would."""
    queues, topics = stack.client("sqs"), stack.client("sns")
    inbox = queues.create_queue(QueueName="inbox")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])
    [topic] = [one["TopicArn"] for one in topics.list_topics()["Topics"]]
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
    return inbox


def letters(stack: LocalStack, inbox: str) -> list[str]:
    received = stack.client("sqs").receive_message(QueueUrl=inbox, MaxNumberOfMessages=10)
    return [json.loads(message["Body"])["Subject"] for message in received.get("Messages", [])]
