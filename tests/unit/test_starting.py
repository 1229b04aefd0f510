"""`tidegate start`: one table, all that stand still, or those that one error stopped."""

import json
from typing import Any

import boto3
import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.unit.samples import ledger_table
from tidegate.cli import app
from tidegate.ledger import Catalogue, StateLedger

HELD_BACK = (
    "not started, because its deletes are held back; "
    "if they are right, run: tidegate release d.held_back"
)
MISSING_USER = "DeploymentError: Tidegate cannot log in to Redshift"
AWAY = "WarehouseBusyError: Redshift is away"
STOPPED = {"a.blocked": MISSING_USER, "b.blocked": AWAY, "c.waiting": AWAY}


class Runs:
    """As much of Step Functions as the command needs; `ends` says how the run of a table ends."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.started_when_followed: set[int] = set()
        self.ends: dict[str, dict[str, str]] = {}

    def start_execution(self, **given: str) -> dict[str, str]:
        table = json.loads(given["input"])["table"]
        self.started.append(table)
        return {"executionArn": table}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803  (boto3's)
        self.started_when_followed.add(len(self.started))
        return self.ends.get(executionArn, {"status": "SUCCEEDED", "output": "{}"})


@pytest.fixture
def runs(aws, monkeypatch) -> Runs:
    ledger = ledger_table()
    states, found = StateLedger(ledger), Runs()
    names = [*STOPPED, "d.held_back", "e.idle", "f.running"]
    Catalogue(ledger).publish(names)
    for table in (*STOPPED, "d.held_back", "f.running"):
        states.acquire(table, "run", 600)
        states.record_failure(table, "run", STOPPED.get(table, AWAY))
    for table in ("a.blocked", "b.blocked"):
        states.block(table, "run", STOPPED[table])
    for table in ("c.waiting", "f.running"):
        states.postpone(table, "run", states.now() + 900)
    states.acquire("f.running", "another run", 600)
    states.hold_back("d.held_back", "run")
    states.block("d.held_back", "run", "MassDeleteError: many")
    real = boto3.client

    def client(name: str, **more: Any) -> Any:
        return found if name == "stepfunctions" else real(name, **more)

    monkeypatch.setattr(boto3, "client", client)
    monkeypatch.setenv("TIDEGATE_LEDGER_TABLE", ledger.name)
    monkeypatch.setenv("TIDEGATE_STATE_MACHINE_ARN", "arn")
    return found


def start(*words: str) -> Result:
    return CliRunner().invoke(app, ["start", *words])


def test_all_that_stand_still_are_started_but_those_that_wait_for_a_release(runs):
    done = start("--all")
    assert (done.exit_code, runs.started) == (0, list(STOPPED))
    assert runs.started_when_followed == {len(STOPPED)}
    assert sorted(done.stdout.splitlines()) == [
        *(f"{table}: all landed files are loaded" for table in STOPPED),
        f"d.held_back: {HELD_BACK}",
    ]


def test_tables_that_one_error_stopped_are_started_and_no_others(runs):
    assert start("--blocked-by", "WarehouseBusyError").exit_code == 0
    assert runs.started == ["b.blocked", "c.waiting"]


def test_name_of_an_error_is_not_the_beginning_of_another_ones(runs):
    done = start("--blocked-by", "Warehouse")
    assert (done.exit_code, runs.started) == (0, [])
    assert done.stdout == "no such table is blocked or waits for a retry\n"


def test_run_that_fails_is_told_with_its_table_and_the_others_go_on(runs):
    runs.ends["a.blocked"] = {"status": "FAILED", "error": "ContractError", "cause": "no"}
    done = start("--all")
    assert (done.exit_code, runs.started) == (1, list(STOPPED))
    assert "a.blocked: ContractError: no\n" in done.stdout
    assert "c.waiting: all landed files are loaded\n" in done.stdout
    assert done.stderr == "1 of 3 runs failed\n"


def test_run_that_leaves_its_work_to_a_later_one_is_told_as_failed(runs):
    failed = {"verdict": "later", "error": "WarehouseBusyError", "message": "away"}
    runs.ends["e.idle"] = {"status": "SUCCEEDED", "output": json.dumps({"failed": failed})}
    done = start("e.idle")
    assert done.exit_code == 1
    assert done.stderr == (
        "WarehouseBusyError: away; Tidegate tries again by itself: tidegate status\n"
    )


def test_run_that_tried_again_itself_and_loaded_all_has_not_failed(runs):
    failed = {"verdict": "retry", "error": "WarehouseBusyError", "message": "away"}
    runs.ends["e.idle"] = {"status": "SUCCEEDED", "output": json.dumps({"failed": failed})}
    assert start("e.idle").exit_code == 0


@pytest.mark.parametrize("words", ["", "a.b --all", "a.b --blocked-by X", "--all --blocked-by X"])
def test_more_or_less_than_one_way_to_say_which_tables_is_a_mistake(runs, words):
    done = start(*words.split())
    assert (done.exit_code, runs.started) == (1, [])
    assert done.stderr == "give one table, or --all, or --blocked-by with an error\n"
