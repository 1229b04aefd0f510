"""The state machine, the Glue job and the connection to the warehouse."""

import json
import re

import pytest


@pytest.fixture(scope="module")
def definition(root) -> str:
    return (root / "statemachines/load_table.asl.json").read_text()


def test_every_placeholder_of_the_state_machine_is_given_a_value(resources, definition):
    given = resources["LoadTable"]["Properties"]["DefinitionSubstitutions"]
    assert set(re.findall(r"\$\{(\w+)\}", definition)) == set(given)


def test_every_step_is_a_state_of_its_own_name(definition):
    def names(states):
        for name, state in states.items():
            yield name
            yield from names(state.get("ItemProcessor", {}).get("States", {}))

    steps = {"PlanBatch", "PrepareChunk", "LoadBatch", "CommitBatch", "FailBatch"}
    assert steps <= set(names(json.loads(definition)["States"]))


def test_a_run_leaves_no_data_in_its_log(resources):
    logging = resources["LoadTable"]["Properties"]["Logging"]
    assert logging["IncludeExecutionData"] is False


def test_the_job_is_a_small_python_shell_with_explicit_limits(resources):
    job = resources["LoadBatch"]["Properties"]
    # "3" would be Python 3.6.
    assert job["Command"]["PythonVersion"] == "3.9"
    assert job["Command"]["Name"] == "pythonshell"
    assert job["MaxCapacity"] == 0.0625
    assert job["Timeout"] == 60
    # The state machine tries again, with the lease in hand; Glue must not.
    assert job["MaxRetries"] == 0
    # Glue's default is one run at a time, and tables do not wait for each other.
    assert job["ExecutionProperty"]["MaxConcurrentRuns"] == 50


def test_the_job_is_told_where_the_secret_is_and_not_what_it_says(resources):
    assert resources["LoadBatch"]["Properties"]["DefaultArguments"] == {
        "library-set": "analytics",
        "--secret-arn": {"Ref": "WarehouseSecret"},
    }


def test_the_script_of_the_job_is_in_the_repository(resources, root):
    script = resources["LoadBatch"]["Properties"]["Command"]["ScriptLocation"]
    assert (root / script).is_file()


def test_the_secret_holds_what_a_connection_needs(resources):
    generated = resources["WarehouseSecret"]["Properties"]["GenerateSecretString"]
    parameters = {
        "WarehouseHost": "example.redshift.amazonaws.com",
        "WarehousePort": "5439",
        "WarehouseDatabase": "dev",
        "WarehouseUser": "tidegate",
    }
    text = re.sub(
        r"\$\{(\w+)\}",
        lambda name: parameters[name[1]],
        generated["SecretStringTemplate"]["Fn::Sub"],
    )
    assert json.loads(text) == {
        "host": "example.redshift.amazonaws.com",
        "port": 5439,
        "dbname": "dev",
        "username": "tidegate",
        "ssl": True,
    }
    assert generated["GenerateStringKey"] == "password"
    assert generated["ExcludePunctuation"] is True


def test_a_lease_outlives_the_job_it_covers(resources):
    lease = resources["PlanBatch"]["Properties"]["Environment"]["Variables"][
        "TIDEGATE_LEASE_SECONDS"
    ]
    prepare = resources["PrepareChunk"]["Properties"]["Timeout"]
    job = resources["LoadBatch"]["Properties"]["Timeout"] * 60
    assert int(lease) >= prepare + job
