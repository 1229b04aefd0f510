"""Runs of one table: one works, another leaves, and nothing that lands meanwhile is forgotten."""

import json

import pytest

from tests.e2e.conftest import FreshTable
from tests.e2e.customers import CHANGES, FILES, SNAPSHOT, model
from tests.e2e.harness import LocalStack, until
from tests.e2e.test_main_job import rows


@pytest.fixture
def loaded(stack: LocalStack, table: FreshTable) -> FreshTable:
    stack.land(table.prefix + SNAPSHOT, (FILES / SNAPSHOT).read_bytes())
    stack.wait()
    return table


def is_running(stack: LocalStack, table: FreshTable) -> bool:
    return stack.table_status(table.name).state == "running"


def actions(stack: LocalStack, run: str) -> list[str]:
    """What plan_batch said, each time the run asked it."""
    history = stack.runs.get_execution_history(executionArn=run, maxResults=1000)["events"]
    exits = [
        event["stateExitedEventDetails"] for event in history if "stateExitedEventDetails" in event
    ]
    outputs = [json.loads(one["output"]) for one in exits if one["name"] == "PlanBatch"]
    return [output["planned"]["action"] for output in outputs]


def test_of_two_executions_at_once_one_works_and_one_leaves(
    stack: LocalStack, loaded: FreshTable
) -> None:
    with stack.held(loaded.name):
        stack.land(loaded.prefix + CHANGES, (FILES / CHANGES).read_bytes())
        until(lambda: is_running(stack, loaded), what="no run took the lease")
        second = stack.start({"table": loaded.name})
        assert stack.finished(second)["status"] == "SUCCEEDED"
        assert actions(stack, second) == ["leave"]
        assert is_running(stack, loaded)
    stack.wait()
    assert len(stack.batches(loaded.name)) == 2


def test_a_file_that_lands_while_a_run_works_is_picked_up_by_it(
    stack: LocalStack, loaded: FreshTable
) -> None:
    before = set(stack.runs_of(loaded.name))
    late = (FILES / "20240810-081500000.csv").read_bytes()
    with stack.held(loaded.name):
        stack.land(loaded.prefix + CHANGES, (FILES / CHANGES).read_bytes())
        until(lambda: is_running(stack, loaded), what="no run took the lease")
        stack.land(loaded.prefix + "20240810-081500000.csv", late)
        pending = lambda: stack.table_status(loaded.name).pending == 2  # noqa: E731
        until(pending, what="the second file was not registered")
    stack.wait()
    files = [(FILES / name).read_bytes() for name in (SNAPSHOT, CHANGES)]
    assert rows(stack, loaded) == model(*files, late)
    [run] = set(stack.runs_of(loaded.name)) - before
    assert actions(stack, run) == ["load", "load", "done"]


def test_a_table_that_is_held_does_not_keep_another_one_waiting(
    stack: LocalStack, loaded: FreshTable, other_table: FreshTable
) -> None:
    with stack.held(loaded.name):
        stack.land(loaded.prefix + CHANGES, (FILES / CHANGES).read_bytes())
        until(lambda: is_running(stack, loaded), what="no run took the lease")
        stack.land(other_table.prefix + SNAPSHOT, (FILES / SNAPSHOT).read_bytes())
        applied = lambda: stack.table_status(other_table.name).applied_files == 1  # noqa: E731
        until(applied, what="the other table was not loaded")
        assert is_running(stack, loaded)
    stack.wait()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "table"),
        ({"table": "no.such"}, "no contract is deployed for 'no.such'"),
        ({"table": "e2e.any", "mod": "x"}, "mod"),
        (["e2e.any"], "input"),
    ],
)
def test_an_input_that_does_not_validate_ends_in_an_error_that_says_so(
    stack: LocalStack, given: object, told: str
) -> None:
    ended = stack.finished(stack.start(given))
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidInputError")
    assert told in ended["cause"]
