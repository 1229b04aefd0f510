"""The state machine load_table as it is deployed, with stand-ins for its functions."""

import json
import re
from pathlib import Path

import pytest

DEFINITION = Path(__file__).parents[3] / "statemachines" / "load_table.asl.json"


def create(app, name, role):
    steps, job = app.ids["Steps"], app.ids["Job"]
    definition = re.sub(
        r"\$\{(\w+)\}",
        lambda place: job if place[1] == "LoadBatchJob" else steps,
        DEFINITION.read_text(),
    )
    return app.client("stepfunctions").create_state_machine(
        name=name, definition=definition, roleArn=f"arn:aws:iam::123456789012:role/{app.ids[role]}"
    )["stateMachineArn"]


@pytest.fixture(scope="module")
def machine(app):
    return create(app, "load-table", "LoadTableRole")


@pytest.fixture
def run(app, machine, eventually):
    states = app.client("stepfunctions")

    def start(machine=machine, **given):
        execution = states.start_execution(stateMachineArn=machine, input=json.dumps(given))
        arn = execution["executionArn"]

        def look():
            described = states.describe_execution(executionArn=arn)
            return described if described["status"] != "RUNNING" else None

        return eventually(look, within=60)

    return start


def prepared(app, dynamodb, name: str) -> int:
    found = dynamodb.scan(
        TableName=app.ids["Table"],
        FilterExpression="begins_with(pk, :name)",
        ExpressionAttributeValues={":name": {"S": name}},
    )
    return found["Count"]


def test_more_chunks_than_a_run_has_room_for_are_prepared_by_a_distributed_map(run, app, dynamodb):
    ended = run(plan="many", chunks=90, actions=["load_many", "done"])
    assert ended["status"] == "SUCCEEDED", ended
    assert prepared(app, dynamodb, "many#") == 90
    assert "x" * 100 not in ended["output"]


def test_failure_of_one_chunk_of_many_goes_to_fail_batch(run):
    ended = run(plan="of many fails", chunks=45, actions=["load_many"])
    assert (ended["status"], ended["error"]) == ("FAILED", "Told")
    assert "States.ExceedToleratedFailureThreshold" in ended["cause"]


def test_distributed_map_needs_a_role_that_may_start_executions(run, app):
    machine = create(app, "one-step", "OneStepRole")
    ended = run(machine, plan="of many", chunks=90, actions=["load_many"])
    assert (ended["status"], ended["error"]) == ("FAILED", "Told")
    assert "States.Permissions" in ended["cause"]
    assert "is not authorized to perform: states:StartExecution" in ended["cause"]


def test_step_that_the_role_may_not_invoke_goes_to_fail_batch_and_fails_there_too(run, app):
    machine = create(app, "no-step", "ProbeRole")
    ended = run(machine, plan="none", chunks=1, actions=["load"])
    assert ended["status"] == "FAILED"
    assert "is not authorized to perform: lambda:InvokeFunction" in ended["cause"]


@pytest.mark.parametrize(("chunks", "action"), [(3, "load"), (45, "load_many")])
def test_chunk_that_dies_is_noted_before_the_run_fails_of_it(run, app, dynamodb, chunks, action):
    ended = run(plan=f"{action} fails", chunks=chunks, actions=[action])
    assert (ended["status"], ended["error"]) == ("FAILED", "Told")
    assert prepared(app, dynamodb, f"{action} fails died#") >= 1
    if action == "load":
        assert "RuntimeError" in ended["cause"]


def test_run_that_waits_for_the_lease_asks_again(run, app, dynamodb):
    ended = run(plan="waited", chunks=1, actions=["wait", "load", "done"])
    assert ended["status"] == "SUCCEEDED"
    assert prepared(app, dynamodb, "waited#") == 1


def test_run_that_leaves_its_work_to_a_later_one_ends_well_and_says_what_failed(run):
    ended = run(plan="fails", chunks=1, actions=["load"], verdict="later")
    assert ended["status"] == "SUCCEEDED"
    failed = json.loads(ended["output"])["failed"]
    assert (failed["verdict"], failed["error"]) == ("later", "Told")
