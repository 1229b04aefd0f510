"""Least privilege: what each role may do, and what nobody may."""

from typing import Any

import pytest

# AWS knows no narrower resource for what these statements allow.
WITHOUT_A_RESOURCE = {"LogDelivery", "Look"}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="module")
def allowed(deployed) -> dict[str, list[dict[str, Any]]]:
    """The statements of every role, by the logical id of the role or its extra policy."""
    documents: dict[str, list[dict[str, Any]]] = {}
    for name, resource in deployed.items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::IAM::Role":
            policies = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        elif resource["Type"] == "AWS::IAM::RolePolicy":
            policies = [properties["PolicyDocument"]]
        else:
            continue
        documents[name] = [statement for policy in policies for statement in policy["Statement"]]
    return documents


@pytest.fixture(scope="module")
def may(allowed) -> dict[str, set[str]]:
    return {
        name: {action for statement in statements for action in as_list(statement["Action"])}
        for name, statements in allowed.items()
    }


def holders(may: dict[str, set[str]], prefix: str) -> set[str]:
    return {name for name, actions in may.items() if any(a.startswith(prefix) for a in actions)}


def test_no_role_is_allowed_all_actions_of_a_service(may):
    assert {action for actions in may.values() for action in actions if "*" in action} == set()


def test_every_statement_names_its_resources(allowed):
    unnamed = {
        statement.get("Sid", name)
        for name, statements in allowed.items()
        for statement in statements
        if "*" in as_list(statement["Resource"])
    }
    assert unnamed == WITHOUT_A_RESOURCE


def test_the_only_managed_policies_write_logs_and_traces(deployed):
    managed = {
        arn.rsplit("/", 1)[-1]
        for resource in deployed.values()
        for arn in resource["Properties"].get("ManagedPolicyArns", [])
    }
    assert managed == {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}


def test_only_the_job_reads_the_warehouse_secret(may):
    assert holders(may, "secretsmanager:") == {"LoadBatchRole"}


def test_nobody_deletes_an_object(may):
    assert holders(may, "s3:Delete") == set()


def test_nobody_reads_what_was_quarantined(allowed):
    actions = {
        action
        for statements in allowed.values()
        for statement in statements
        for action in as_list(statement["Action"])
        if "quarantine" in str(statement["Resource"])
    }
    assert actions == {"s3:PutObject"}


def test_only_planning_and_preparation_read_what_landed(allowed):
    readers = {
        name
        for name, statements in allowed.items()
        for statement in statements
        if "s3:GetObject" in as_list(statement["Action"])
        and "LandingBucket" in str(statement["Resource"])
    }
    assert readers == {"PlanBatchRole", "PrepareChunkRole"}


@pytest.mark.parametrize(
    ("bucket", "lookers"),
    [
        ("LandingBucket", {"PlanBatchRole", "PrepareChunkRole", "SweepTablesRole"}),
        ("WorkBucket", {"PlanBatchRole", "CommitBatchRole", "FailBatchRole"}),
    ],
)
def test_who_looks_for_what_may_be_missing_may_list_the_bucket(allowed, bucket, lookers):
    listers = {
        name
        for name, statements in allowed.items()
        for statement in statements
        if "s3:ListBucket" in as_list(statement["Action"]) and bucket in str(statement["Resource"])
    }
    assert listers == lookers


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        (
            "RegisterFilesRole",
            {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchGetItem", "ConditionCheckItem"},
        ),
        (
            "PlanBatchRole",
            {"GetItem", "BatchGetItem", "Query", "UpdateItem", "PutItem", "DeleteItem"},
        ),
        ("CommitBatchRole", {"GetItem", "PutItem", "UpdateItem", "DeleteItem"}),
        ("FailBatchRole", {"GetItem", "UpdateItem"}),
    ],
)
def test_a_step_may_do_with_the_ledger_what_it_does_and_no_more(may, role, actions):
    ledger = {action for action in may[role] if action.startswith("dynamodb:")}
    assert ledger == {f"dynamodb:{action}" for action in actions}


def test_only_registering_and_sweeping_start_runs_and_a_run_those_of_its_map(may):
    assert holders(may, "states:StartExecution") == {
        "RegisterFilesRole",
        "SweepTablesRole",
        "LoadTableRole",
    }


def test_preparation_and_job_do_not_touch_the_ledger(may):
    assert holders(may, "dynamodb:") == {
        "RegisterFilesRole",
        "PlanBatchRole",
        "CommitBatchRole",
        "FailBatchRole",
        "SweepTablesRole",
    }


def test_a_run_invokes_its_four_steps_and_its_job_and_nothing_else(allowed):
    resources = {statement["Sid"]: statement["Resource"] for statement in allowed["LoadTableRole"]}
    assert [arn["Fn::GetAtt"][0] for arn in resources["Steps"]] == [
        "PlanBatch",
        "PrepareChunk",
        "CommitBatch",
        "FailBatch",
    ]
    assert resources["Job"]["Fn::Sub"].endswith(":job/${LoadBatch}")
