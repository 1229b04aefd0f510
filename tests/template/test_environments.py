"""samconfig.toml: the environments a user deploys."""

import tomllib

import pytest

NOT_A_NAME_OF_ITS_OWN = {"MetricName", "PolicyName"}


@pytest.fixture(scope="module")
def samconfig(root):
    return tomllib.loads((root / "samconfig.toml").read_text())


def test_there_are_two_environments_with_stacks_of_their_own(samconfig):
    stacks = {
        name: environment["global"]["parameters"]["stack_name"]
        for name, environment in samconfig.items()
        if name != "version"
    }
    assert stacks == {"default": "tidegate", "prod": "tidegate-prod"}


def test_production_asks_before_it_changes(samconfig):
    assert samconfig["prod"]["deploy"]["parameters"]["confirm_changeset"] is True


@pytest.mark.parametrize("environment", ["default", "prod"])
def test_layers_are_built_in_the_repository_and_always_anew(samconfig, environment):
    build = samconfig[environment]["build"]["parameters"]
    assert build["build_in_source"] is True
    assert build["cached"] is False


def test_two_stacks_may_stand_in_one_account(deployed):
    named = {
        (name, key)
        for name, resource in deployed.items()
        for key, value in resource["Properties"].items()
        if key.endswith("Name") and key not in NOT_A_NAME_OF_ITS_OWN and isinstance(value, str)
    }
    assert named == set()
