"""Proves the template's permissions by use: compares them with the calls of the end-to-end tests.

The local stack refuses calls that no statement allows, and records every action that a role used.
After the tests, a refused call fails the session. If all end-to-end tests ran, an allowed action
that no test used also fails it. AWS_ALONE lists actions that only AWS itself needs.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tidegate.local.control import RunningStack

ROOT = Path(__file__).parents[1]
NAME = "permissions-proof"
Call = dict[str, Any]
Allowed = tuple[str, str, str]  # role, statement, action

_SYNC = "Step Functions wants it for glue:startJobRun.sync; moto only starts a run and looks at it"
_MAP = "a batch of more than 40 chunks needs it; tests/integration/cloud/test_load_table.py has one"
_FOLLOW = "Step Functions follows and stops what a distributed Map started; moto does so by no call"
_DELIVERY = "Step Functions sets up the delivery of its log; moto delivers none"
_SCRIPT = "Glue fetches the script of the job; the local stack runs it where it is"
_LOGS = "Glue writes what the job prints; the local stack has a log of its own"
_VPC = "Glue plugs the job into a VPC; the local stack has none"
_NO_OUTCOME = "only a job that succeeds and reports nothing needs it, which none does here"
# Role, statement and action (* for all actions) that no test needs, and why the template has it.
AWS_ALONE: dict[Allowed, str] = {
    ("LoadTableRole", "Job", "glue:GetJobRuns"): _SYNC,
    ("LoadTableRole", "Job", "glue:BatchStopJobRun"): _SYNC,
    ("LoadTableRole", "ManyChunks", "states:StartExecution"): _MAP,
    ("LoadTableRole", "FollowManyChunks", "*"): _FOLLOW,
    ("LoadTableRole", "LogDelivery", "*"): _DELIVERY,
    ("LoadBatchRole", "Script", "s3:GetObject"): _SCRIPT,
    ("LoadBatchRole", "Logs", "*"): _LOGS,
    ("LoadBatchRole", "Connection", "*"): _VPC,
    ("LoadBatchRole", "Look", "*"): _VPC,
    ("LoadBatchRole", "Plug", "*"): _VPC,
    ("LoadBatchRole", "Unplug", "*"): _VPC,
    ("CommitBatchRole", "TellNoResult", "s3:ListBucket"): _NO_OUTCOME,
}

REMEDY = (
    "take what no test needed out of template.yaml, or add the test; if only AWS needs it, add it "
    "to AWS_ALONE in tests/permissions_proof.py, with the reason"
)


def read_allowed(template: Path = ROOT / "template.yaml") -> set[Allowed]:
    """Return the actions that the template allows its roles; ignore conditions."""
    from tidegate.local.cloud.template import Template  # takes a second; few sessions need it

    resources = Template(template).translate({"WarehouseHost": "any"})["Resources"]
    return {
        (role, statement.get("Sid", policy), action)
        for name, resource in resources.items()
        for role, policy, document in _policies(name, resource)
        for statement in document["Statement"]
        for action in _as_list(statement["Action"])
    }


def find_refused(calls: Iterable[Call]) -> list[str]:
    """Return a line for each action that a role lacks."""
    return sorted(
        {
            f"{one['role']} needs {one['action']} on {one['resource']}: {one['remedy']} in "
            "template.yaml, or do without the call"
            for one in calls
            if one["statement"] is None
        }
    )


def find_unneeded(calls: Iterable[Call], allowed: Iterable[Allowed]) -> list[str]:
    """Return a line for each allowed action that no test needed."""
    used = {(one["role"], one["statement"], one["action"]) for one in calls}
    return [
        f"{role} is allowed {action} by the statement {statement}, which no test needed"
        for role, statement, action in sorted(set(allowed) - used)
        if not {(role, statement, action), (role, statement, "*")} & AWS_ALONE.keys()
    ]


@contextmanager
def recorded(config: pytest.Config, port: int) -> Iterator[None]:
    """Record the calls of the stack's roles on `port` during the body, for the session's end."""
    record = Path(RunningStack(port).describe()["calls"])
    try:
        yield
    finally:
        proof = config.pluginmanager.get_plugin(NAME)
        assert isinstance(proof, Proof)
        proof.calls += [json.loads(line) for line in record.read_text("utf-8").splitlines()]


class Proof:
    """A pytest plugin: collects the calls from all xdist workers and checks them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._is_part = False
        self._passed: set[str] = set()
        self._faults: list[str] = []

    def pytest_deselected(self) -> None:
        self._is_part = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self._passed.add(report.nodeid.partition("::")[0])

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        sent = getattr(node, "workeroutput", {"calls": [], "is_part": True})
        self.calls += sent["calls"]
        self._is_part = self._is_part or sent["is_part"]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output.update(calls=self.calls, is_part=self._is_part)
            return
        self._faults = find_refused(self.calls)
        if not session.testsfailed and self._is_whole(session.config.args):
            unneeded = find_unneeded(self.calls, read_allowed())
            self._faults += [*unneeded, REMEDY] if unneeded else []
        if self._faults and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._faults:
            terminalreporter.section("roles, by what they did in the end-to-end tests", red=True)
            for fault in self._faults:
                terminalreporter.line(fault, red=True)

    def _is_whole(self, arguments: list[str]) -> bool:
        """Return whether all end-to-end tests ran."""
        chosen = any("::" in one for one in arguments)
        return not self._is_part and not chosen and _end_to_end_files() <= self._passed


def _end_to_end_files() -> set[str]:
    return {one.relative_to(ROOT).as_posix() for one in (ROOT / "tests/e2e").rglob("test_*.py")}


def _policies(name: str, resource: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    given = resource.get("Properties", {})
    if resource["Type"] == "AWS::IAM::Role":
        for policy in given.get("Policies", []):
            yield name, policy["PolicyName"], policy["PolicyDocument"]
    elif resource["Type"] == "AWS::IAM::RolePolicy":
        yield given["RoleName"]["Ref"], given["PolicyName"], given["PolicyDocument"]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
