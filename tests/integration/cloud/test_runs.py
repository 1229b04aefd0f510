"""Step Functions: the definition file as it is, calling the functions, jobs and tables here."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def run(app, eventually):
    """Start a run and wait for its end."""
    states = app.client("stepfunctions")

    def start(**given):
        given = {"items": [1, 2], "round": 0, "wait": 0, "do": "succeed", **given}
        execution = states.start_execution(
            stateMachineArn=app.ids["Machine"], input=json.dumps(given)
        )["executionArn"]

        def look():
            described = states.describe_execution(executionArn=execution)
            return described if described["status"] != "RUNNING" else None

        return eventually(look, within=60)

    return start


def test_a_run_goes_through_all_kinds_of_states(run):
    ended = run(items=["a", "b", "c"], wait=1)
    assert ended["status"] == "SUCCEEDED"
    output = json.loads(ended["output"])
    assert output["round"] == 2
    assert output["job"] == {"state": "SUCCEEDED"}
    assert output["echoed"] == [
        {"do": "echo", "round": 2, "item": item} for item in ("a", "b", "c")
    ]


def test_the_failure_of_a_job_can_be_read_in_the_cause(run):
    ended = run(do="fail")
    assert ended["status"] == "FAILED"
    assert ended["error"] == "States.TaskFailed"
    cause = json.loads(ended["cause"])
    assert cause["JobRunState"] == "FAILED"
    assert cause["ErrorMessage"] == "ValueError: the job was told to fail"


def test_many_runs_at_a_time_do_not_disturb_each_other(run, app, dynamodb):
    def count():
        found = dynamodb.get_item(TableName=app.ids["Table"], Key={"pk": {"S": "runs"}})
        return int(found.get("Item", {"times": {"N": "0"}})["times"]["N"])

    before = count()
    with ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(lambda _: run(items=[1], round=1), range(8)))
    assert [one["status"] for one in ended] == ["SUCCEEDED"] * 8
    assert count() == before + 8


def test_of_starts_under_one_name_with_other_inputs_one_wins(app):
    states = app.client("stepfunctions")

    def start(number):
        given = {"items": [number], "round": 1, "wait": 0, "do": "succeed"}
        try:
            states.start_execution(
                stateMachineArn=app.ids["Machine"], name="the-name", input=json.dumps(given)
            )
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "started"

    with ThreadPoolExecutor(10) as pool:
        outcomes = sorted(pool.map(start, range(10)))
    assert outcomes == ["ExecutionAlreadyExists"] * 9 + ["started"]


def test_of_conditional_writes_to_one_item_one_wins(app, dynamodb):
    def write(number):
        try:
            dynamodb.put_item(
                TableName=app.ids["Table"],
                Item={"pk": {"S": "lease"}, "holder": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(write, range(20))) == 1


def test_the_journal_tells_how_runs_start_and_end(run, app):
    run(items=[], round=1)
    told = app.said("small-machine")
    assert any(" started " in text and '"round":1' in text for text in told)
    assert any(" succeeded after " in text for text in told)


def test_a_transaction_that_fails_changes_nothing(app, dynamodb):
    def item(name, **more):
        return {"pk": {"S": f"transaction#{name}"}, **more}

    table = app.ids["Table"]
    dynamodb.put_item(TableName=table, Item=item("kept", n={"N": "1"}))
    dynamodb.put_item(TableName=table, Item=item("deleted", n={"N": "2"}))
    count = {":one": {"N": "1"}}
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as caught:
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": table, "Item": item("new")}},
                {
                    "Update": {
                        "TableName": table,
                        "Key": item("kept"),
                        "UpdateExpression": "ADD n :one",
                        "ExpressionAttributeValues": count,
                    }
                },
                {"Delete": {"TableName": table, "Key": item("deleted")}},
                {
                    "ConditionCheck": {
                        "TableName": table,
                        "Key": item("absent"),
                        "ConditionExpression": "attribute_exists(pk)",
                    }
                },
            ]
        )
    reasons = [one["Code"] for one in caught.value.response["CancellationReasons"]]
    assert reasons == ["None", "None", "None", "ConditionalCheckFailed"]
    found = {
        name: dynamodb.get_item(TableName=table, Key=item(name)).get("Item")
        for name in ("new", "kept", "deleted")
    }
    assert found == {
        "new": None,
        "kept": item("kept", n={"N": "1"}),
        "deleted": item("deleted", n={"N": "2"}),
    }
