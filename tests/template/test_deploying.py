"""A first deployment that fails can be repeated; parameters that cannot work are refused."""

import itertools
import re
from typing import Any

import pytest

KEPT = {"LandingBucket", "WorkBucket", "Ledger", "WarehouseSecret"}
NETWORK = {
    "SubnetId": "subnet-0123456789abcdef0",
    "SecurityGroupIds": "sg-0123456789abcdef0,sg-01234567",
    "AvailabilityZone": "eu-west-1a",
}
NEEDED = {"WarehouseHost": "example.eu-west-1.redshift-serverless.amazonaws.com"}


def given(template: dict[str, Any], **parameters: str) -> dict[str, str]:
    """What every parameter is when only these are named."""
    defaults = {
        name: one["Default"] for name, one in template["Parameters"].items() if "Default" in one
    }
    return {**defaults, **NEEDED, **parameters}


def holds(test: dict[str, Any], parameters: dict[str, str]) -> bool:
    """What CloudFormation makes of a condition or an assertion."""
    [(function, parts)] = test.items()
    if function == "Fn::Equals":
        one, other = (parameters[part["Ref"]] if "Ref" in part else part for part in parts)
        return one == other
    found = [holds(part, parameters) for part in parts]
    return {"Fn::And": all(found), "Fn::Or": any(found), "Fn::Not": not all(found)}[function]


def refusals(template: dict[str, Any], **parameters: str) -> list[str]:
    """What CloudFormation answers to these parameters, before it creates anything."""
    every = given(template, **parameters)
    told = [
        one["ConstraintDescription"]
        for name, one in template["Parameters"].items()
        if not re.fullmatch(one.get("AllowedPattern", ".*"), str(every[name]))
    ]
    assertions = [one for rule in template["Rules"].values() for one in rule["Assertions"]]
    return told + [
        one["AssertDescription"] for one in assertions if not holds(one["Assert"], every)
    ]


def is_protected(template: dict[str, Any], **parameters: str) -> bool:
    protection = template["Resources"]["Ledger"]["Properties"]["DeletionProtectionEnabled"]
    condition, yes, no = protection["Fn::If"]
    return yes if holds(template["Conditions"][condition], given(template, **parameters)) else no


def test_what_holds_data_outlives_the_stack_but_not_a_creation_that_is_rolled_back(deployed):
    policies = {name: one.get("DeletionPolicy", "Delete") for name, one in deployed.items()}
    kept = {name for name, policy in policies.items() if policy != "Delete"}
    assert kept == KEPT
    assert {policies[name] for name in kept} == {"RetainExceptOnCreate"}


def test_what_holds_data_outlives_its_replacement(deployed):
    # CloudFormation takes no RetainExceptOnCreate here.
    assert {name for name, one in deployed.items() if "UpdateReplacePolicy" in one} == KEPT
    assert {deployed[name]["UpdateReplacePolicy"] for name in KEPT} == {"Retain"}


def test_a_first_deployment_protects_nothing_that_its_rollback_must_delete(template):
    assert is_protected(template) is False


def test_the_ledger_is_protected_once_somebody_says_so(template):
    assert is_protected(template, ProtectLedger="true") is True


def test_with_the_defaults_only_the_host_is_missing(template):
    assert "Default" not in template["Parameters"]["WarehouseHost"]
    assert set(given(template)) == set(template["Parameters"])
    assert refusals(template) == []


@pytest.mark.parametrize(
    "names", [names for count in range(4) for names in itertools.combinations(NETWORK, count)]
)
def test_half_a_network_is_refused_with_what_to_do(template, names):
    told = refusals(template, **{name: NETWORK[name] for name in names})
    if len(names) in {0, len(NETWORK)}:
        assert told == []
        return
    [told] = told
    assert all(name in told for name in NETWORK)
    assert "all three" in told


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("WarehouseHost", ""),
        ("WarehouseHost", "example.eu-west-1.redshift-serverless.amazonaws.com:5439/dev"),
        ("WarehouseHost", "jdbc:redshift://example.redshift.amazonaws.com"),
        ("WarehouseDatabase", 'a"quote'),
        ("WarehouseUser", ""),
        ("WarehouseUser", "back\\slash"),
        ("CopyRole", "a-role"),
        ("AlertEmail", "nobody"),
    ],
)
def test_what_aws_would_refuse_half_way_is_refused_at_once(template, name, text):
    assert len(refusals(template, **{name: text})) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [("SubnetId", "subnet-1,subnet-2"), ("SecurityGroupIds", "sg-1, sg-2")],
)
def test_the_network_is_one_subnet_and_groups_without_spaces(template, name, text):
    assert len(refusals(template, **NETWORK | {name: text})) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("WarehouseHost", "127.0.0.1"),
        ("WarehouseHost", "tidegate.abc123.eu-west-1.redshift.amazonaws.com"),
        ("WarehouseUser", "O'Brien"),
        ("AlertEmail", "data@example.com"),
        ("CopyRole", "arn:aws:iam::123456789012:role/redshift-copy"),
    ],
)
def test_what_works_is_accepted(template, name, text):
    assert refusals(template, **{name: text}) == []


def test_the_job_gets_each_security_group(deployed):
    wanted = deployed["WarehouseConnection"]["Properties"]["ConnectionInput"]
    groups = wanted["PhysicalConnectionRequirements"]["SecurityGroupIdList"]
    assert groups == {"Fn::Split": [",", {"Ref": "SecurityGroupIds"}]}
