"""Kills a process before or after any network call: the outcome is always the same.

TIDEGATE_ALL_FAULTS=1 kills at every boundary; without it, at a selection of boundaries.
"""

from collections.abc import Iterator
from itertools import groupby

import pytest

from tests.e2e.faults.boundaries import CALLS, CLEAN_RUNS, Trial, all_trials, spread_of_trials
from tests.e2e.faults.calls import Call
from tests.e2e.faults.conftest import ALL_FAULTS
from tests.e2e.faults.stack import FaultedStack
from tests.e2e.faults.tables import Tables
from tests.e2e.faults.trials import Trials, turn

# Trials of register_files are kept apart: SQS gives a message up after five killed deliveries.
# Trials that run together are checked together, so that none waits too long for the others.
STRUCK = sorted(
    all_trials() if ALL_FAULTS else spread_of_trials(),
    key=lambda trial: (turn(trial), trial.at.name),
)


@pytest.fixture(scope="module")
def trials(
    faulted: FaultedStack, tables: Tables, request: pytest.FixtureRequest
) -> Iterator[Trials]:
    """Start the trials of all selected tests at once."""
    chosen = [
        item.callspec.params["trial"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module
    ]
    running = Trials(faulted, tables, chosen)
    try:
        yield running
    finally:
        running.stop()


@pytest.mark.parametrize("trial", sorted(CLEAN_RUNS, key=turn), ids=str)
def test_the_boundaries_that_are_tried_are_those_of_a_clean_run(
    trials: Trials, trial: Trial
) -> None:
    calls = trials.result(trial)
    for step, expected in CALLS[trial.happens].items():
        found = rounds(step, calls)
        # The sweep reads the states of many tables at once, or of this one alone.
        alone = ["dynamodb:BatchGetItem", *expected]
        listed = expected in found or (step == "sweep_tables" and alone in found)
        assert listed, f"{step} makes other calls now; list them: {found[-1]}"


@pytest.mark.parametrize("trial", STRUCK, ids=str)
def test_a_process_killed_at_a_boundary_changes_nothing_of_the_outcome(
    trials: Trials, trial: Trial
) -> None:
    trials.result(trial)


def rounds(step: str, calls: list[Call]) -> list[list[str]]:
    """Return the calls of a step; for sweeps, which repeat, one list per invocation."""
    own = [call for call in calls if call.step == step]
    if step != "sweep_tables":
        return [[call.name for call in own]]
    sweeps = groupby(own, key=lambda call: call.invocation)
    return [[call.name for call in sweep] for _, sweep in sweeps]
