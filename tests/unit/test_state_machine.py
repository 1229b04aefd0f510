"""The state machine as it is written: valid, every state reached, every failure caught."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.unit.test_finishing import errors_of
from tidegate import errors
from tidegate.finishing.fail_batch import Verdict
from tidegate.planning.plan_batch import Planned
from tidegate.runs import LATER

ROOT = Path(__file__).parents[2]
MACHINE = json.loads((ROOT / "statemachines" / "load_table.asl.json").read_text())
FUNCTIONS = {path.parent.name for path in ROOT.glob("functions/*/app.py")}


def states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states(state["ItemProcessor"])


TASKS = {name: state for name, state in states(MACHINE) if state["Type"] == "Task"}
LAMBDAS = {name: state for name, state in TASKS.items() if "lambda" in state["Resource"]}


def reached(machine: dict[str, Any]) -> set[str]:
    found, ahead = set(), [machine["StartAt"]]
    while ahead:
        name = ahead.pop()
        if name in found:
            continue
        found.add(name)
        state = machine["States"][name]
        branches = [state, *state.get("Choices", []), *state.get("Catch", [])]
        ahead += [
            branch[key] for branch in branches for key in ("Next", "Default") if key in branch
        ]
        if "ItemProcessor" in state:
            found |= reached(state["ItemProcessor"])
    return found


def test_every_state_is_reached():
    assert reached(MACHINE) == {name for name, _ in states(MACHINE)}


def test_every_state_goes_on_or_ends():
    ending = {"Succeed", "Fail"}
    for name, state in states(MACHINE):
        goes_on = "Next" in state or state.get("End") or "Default" in state
        assert goes_on or state["Type"] in ending, name


@pytest.mark.parametrize("name", LAMBDAS)
def test_functions_have_the_words_of_their_states(name):
    # No two states may have the same name, not even within two Maps.
    of_chunks = ("PrepareOneOfMany", "NoteDeath", "NoteDeathOfOneOfMany")
    function = "PrepareChunk" if name in of_chunks else name
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in function).lstrip("_")
    assert snake in FUNCTIONS
    assert LAMBDAS[name]["Parameters"]["FunctionName"] == f"${{{function}Arn}}"


def test_all_functions_of_a_run_are_states():
    assert set(LAMBDAS) == {
        "PlanBatch",
        "PrepareChunk",
        "PrepareOneOfMany",
        "NoteDeath",
        "NoteDeathOfOneOfMany",
        "CommitBatch",
        "FailBatch",
    }


def test_what_plan_batch_answers_is_what_the_machine_knows():
    asked = {choice["StringEquals"] for choice in MACHINE["States"]["IsThereWork"]["Choices"]}
    assert asked | {"done", "leave"} == set(get_args(Planned.model_fields["action"].annotation))


def test_what_fail_batch_answers_is_what_the_machine_knows():
    choices = MACHINE["States"]["IsItTriedAgain"]["Choices"]
    asked = {choice["StringEquals"] for choice in choices}
    assert asked | {"give_up"} == set(get_args(Verdict.model_fields["verdict"].annotation))


def test_run_that_leaves_its_work_to_a_later_one_does_not_count_as_failed():
    choices = MACHINE["States"]["IsItTriedAgain"]["Choices"]
    [after] = [choice["Next"] for choice in choices if choice["StringEquals"] == LATER]
    assert MACHINE["States"][after] == {"Type": "Succeed"}


def test_many_chunks_are_prepared_as_few_are():
    few, many = MACHINE["States"]["PrepareChunks"], MACHINE["States"]["PrepareManyChunks"]
    assert many["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    for key in ("ItemsPath", "ItemSelector", "Catch", "Next"):
        assert many[key] == few[key]
    assert TASKS["PrepareOneOfMany"]["Retry"] == TASKS["PrepareChunk"]["Retry"]
    assert TASKS["PrepareOneOfMany"]["Parameters"] == TASKS["PrepareChunk"]["Parameters"]
    assert TASKS["NoteDeathOfOneOfMany"]["Parameters"] == TASKS["NoteDeath"]["Parameters"]
    # The results of all chunks together may be more than a state can give, 256 KB.
    assert TASKS["PrepareOneOfMany"]["OutputPath"] is None


@pytest.mark.parametrize("name", LAMBDAS)
def test_every_transient_error_is_tried_again(name):
    retry, *more = LAMBDAS[name]["Retry"]
    of_the_job = {
        "DeploymentError",
        "TooNarrowError",
    }  # fail_batch reads it from what the job reports
    assert errors_of(errors.TransientError) - of_the_job <= set(retry["ErrorEquals"])
    assert not errors_of(errors.TerminalError) & set(retry["ErrorEquals"])
    # The last steps are tried again whatever ended them, if it is not what they say of a job.
    whatever = {"CommitBatch": [["LoadFailedError"], ["States.ALL"]], "FailBatch": [["States.ALL"]]}
    assert [one["ErrorEquals"] for one in more] == whatever.get(name, [])
    assert [one["MaxAttempts"] for one in more if one["ErrorEquals"] != ["States.ALL"]] in ([], [0])


@pytest.mark.parametrize(
    ("chunk", "note"),
    [("PrepareChunk", "NoteDeath"), ("PrepareOneOfMany", "NoteDeathOfOneOfMany")],
)
def test_chunk_that_fails_is_noted_and_fails_as_it_did_whether_it_was_noted_or_not(chunk, note):
    [caught] = TASKS[chunk]["Catch"]
    assert (caught["ErrorEquals"], caught["Next"]) == (["States.ALL"], note)
    [not_noted] = TASKS[note]["Catch"]
    assert not_noted["ResultPath"] != caught["ResultPath"]
    assert not_noted["Next"] == TASKS[note]["Next"]
    failed = dict(states(MACHINE))[TASKS[note]["Next"]]
    assert (failed["ErrorPath"], failed["CausePath"]) == ("$.failure.Error", "$.failure.Cause")


@pytest.mark.parametrize(
    "name", ["PlanBatch", "PrepareChunks", "PrepareManyChunks", "LoadBatch", "CommitBatch"]
)
def test_any_failure_of_a_run_goes_to_fail_batch(name):
    last = MACHINE["States"][name]["Catch"][-1]
    assert (last["ErrorEquals"], last["Next"]) == (["States.ALL"], "FailBatch")


def test_names_in_the_machine_are_errors_of_tidegate_or_of_aws():
    named = {
        error
        for _, state in states(MACHINE)
        for handler in [*state.get("Retry", []), *state.get("Catch", [])]
        for error in handler["ErrorEquals"]
    }
    ours = {name for name in named if "." not in name}
    assert ours <= errors_of(errors.TidegateError)
    assert {name.partition(".")[0] for name in named - ours} == {"Lambda", "Glue", "States"}


def test_nothing_but_names_of_places_goes_to_the_job():
    assert MACHINE["States"]["LoadBatch"]["Parameters"] == {
        "JobName": "${LoadBatchJob}",
        "Arguments": {"--plan.$": "$.planned.plan_url"},
    }
