"""What the end of a test session says of the roles, by what they did."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests import permissions_proof
from tests.permissions_proof import AWS_ALONE, REMEDY, Proof, find_refused, find_unneeded

PUT = {
    "role": "CommitBatchRole",
    "action": "dynamodb:PutItem",
    "resource": "arn:aws:dynamodb:us-east-1:123456789012:table/ledger",
    "statement": "Ledger",
}
GET = {**PUT, "action": "dynamodb:GetItem", "statement": None, "remedy": "add it to Ledger"}
LEDGER = {
    ("CommitBatchRole", "Ledger", "dynamodb:PutItem"),
    ("CommitBatchRole", "Ledger", "dynamodb:DeleteItem"),
}
LACKS = f"CommitBatchRole needs dynamodb:GetItem on {PUT['resource']}: add it to Ledger"
FILE = "tests/e2e/test_any.py"


def session(*arguments: str, failed: int = 0, **config: Any) -> Any:
    config = {"args": list(arguments), **config}
    exitstatus = pytest.ExitCode.TESTS_FAILED if failed else pytest.ExitCode.OK
    return SimpleNamespace(
        config=SimpleNamespace(**config), testsfailed=failed, exitstatus=exitstatus
    )


@pytest.fixture
def proof(monkeypatch: pytest.MonkeyPatch) -> Proof:
    """After all end-to-end tests, in which somebody put an item."""
    monkeypatch.setattr(permissions_proof, "_end_to_end_files", lambda: {FILE})
    monkeypatch.setattr(permissions_proof, "read_allowed", lambda: LEDGER)
    proof = Proof()
    proof.calls.append(PUT)
    report = {"when": "call", "passed": True, "nodeid": f"{FILE}::test_one"}
    proof.pytest_runtest_logreport(SimpleNamespace(**report))  # type: ignore[arg-type]
    return proof


def told(proof: Proof) -> list[str]:
    """The beginnings of the lines that the summary prints."""
    lines: list[str] = []
    reporter = SimpleNamespace(
        section=lambda *_, **__: None, line=lambda text, **_: lines.append(text.split(" by the")[0])
    )
    proof.pytest_terminal_summary(reporter)  # type: ignore[arg-type]
    return lines


def test_a_refused_call_is_told_once_with_its_remedy():
    assert find_refused([PUT, GET, GET]) == [f"{LACKS} in template.yaml, or do without the call"]


def test_an_action_that_is_allowed_by_another_statement_is_not_needed_by_this_one():
    elsewhere = {**PUT, "statement": "Other"}
    assert len(find_unneeded([PUT], LEDGER)) == 1
    assert len(find_unneeded([PUT, elsewhere], LEDGER)) == 1
    assert len(find_unneeded([elsewhere], LEDGER)) == 2


def test_what_only_aws_needs_is_not_told():
    alone = {(role, name, "any" if action == "*" else action) for role, name, action in AWS_ALONE}
    assert find_unneeded([], alone) == []


def test_after_all_tests_an_action_that_nobody_needed_fails_the_session(proof):
    ended = session()
    proof.pytest_sessionfinish(ended)
    assert ended.exitstatus == pytest.ExitCode.TESTS_FAILED
    assert told(proof) == ["CommitBatchRole is allowed dynamodb:DeleteItem", REMEDY]


def test_an_action_that_was_refused_fails_the_session_even_if_only_one_test_ran(proof):
    proof.calls.append(GET)
    ended = session(f"{FILE}::test_one")
    proof.pytest_sessionfinish(ended)
    assert ended.exitstatus == pytest.ExitCode.TESTS_FAILED
    assert told(proof) == [f"{LACKS} in template.yaml, or do without the call"]


@pytest.mark.parametrize(
    "part", ["one test", "a test was deselected", "a file did not run", "a test failed", "a worker"]
)
def test_a_part_of_the_tests_does_not_show_what_is_not_needed(proof, monkeypatch, part):
    ended = session(*([f"{FILE}::test_one"] if part == "one test" else []))
    if part == "a test was deselected":
        proof.pytest_deselected()
    if part == "a file did not run":
        monkeypatch.setattr(permissions_proof, "_end_to_end_files", lambda: {FILE, "other.py"})
    if part == "a test failed":
        ended = session(failed=1)
    if part == "a worker":
        proof.pytest_testnodedown(SimpleNamespace())  # it died and sent nothing
    before = ended.exitstatus
    proof.pytest_sessionfinish(ended)
    assert (ended.exitstatus, told(proof)) == (before, [])


def test_a_worker_sends_what_it_saw_to_the_controller(proof):
    output: dict[str, Any] = {}
    worker = Proof()
    worker.calls.append({**PUT, "action": "dynamodb:DeleteItem"})
    ended = session(workeroutput=output)
    worker.pytest_sessionfinish(ended)
    assert ended.exitstatus == pytest.ExitCode.OK
    proof.pytest_testnodedown(SimpleNamespace(workeroutput=output))
    whole = session()
    proof.pytest_sessionfinish(whole)
    assert (whole.exitstatus, told(proof)) == (pytest.ExitCode.OK, [])
