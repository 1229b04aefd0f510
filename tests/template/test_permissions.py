"""What nobody may do, and what is so of all statements.

That each role may do what it does, and no more, is proved by use: tests/permissions_proof.py.
"""

from collections import Counter
from typing import Any

import pytest

from tests.permissions_proof import AWS_ALONE, read_allowed

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


def test_each_statement_of_a_role_has_a_name_of_its_own(allowed):
    # The record of what roles did in the end-to-end tests names statements.
    names = Counter(
        (name, statement["Sid"])
        for name, statements in allowed.items()
        for statement in statements
        if "Sid" in statement
    )
    assert names
    assert max(names.values()) == 1


def test_what_only_aws_needs_is_still_in_the_template():
    allowed = read_allowed()
    statements = {(role, statement, "*") for role, statement, _ in allowed}
    assert {one for one in AWS_ALONE if one not in allowed | statements} == set()
