"""Drives a running local stack as a user does: command line, boto3 and redshift_connector."""

import json
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import redshift_connector

from tidegate.ledger import LedgerTable
from tidegate.status import Deployed, Status, TableStatus

TIDEGATE = Path(sys.executable).parent / "tidegate"
ROOT = Path(__file__).resolve().parents[2]
_ENVIRONMENT = threading.Lock()


def tidegate(
    *arguments: str, check: bool = True, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run `tidegate` with `arguments`, as a user does."""
    return subprocess.run(
        [TIDEGATE, *arguments], check=check, capture_output=True, text=True, cwd=ROOT, **options
    )


class LocalStack:
    """The variables that `tidegate local env` exports, and clients that use only these."""

    def __init__(self, port: int) -> None:
        self.port = port
        exports = tidegate("local", "env", f"--port={port}").stdout
        words = (shlex.split(line) for line in exports.splitlines() if line)
        self.variables = dict(word.split("=", 1) for _, word in words)
        session = boto3.Session(
            aws_access_key_id=self.variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.variables["AWS_SECRET_ACCESS_KEY"],
            region_name=self.variables["AWS_DEFAULT_REGION"],
        )
        self._session = session
        self.s3 = self.client("s3")
        self.runs = self.client("stepfunctions")
        self.invoking = self.client("lambda")
        self._sweep = self.physical_id("SweepTables")
        ledger = LedgerTable(self.client("dynamodb"), self.variables["TIDEGATE_LEDGER_TABLE"])
        queue = self.variables["TIDEGATE_LANDING_QUEUE_URL"]
        self._deployed = Deployed(ledger, self.client("sqs"), queue)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.variables}

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self.variables["AWS_ENDPOINT_URL"])

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return tidegate(*arguments, check=check, env=self.environment)

    def physical_id(self, logical_id: str) -> str:
        stacks = self.client("cloudformation")
        listed = stacks.list_stack_resources(StackName="tidegate")["StackResourceSummaries"]
        ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed}
        return ids[logical_id]

    def land(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.variables["TIDEGATE_LANDING_BUCKET"], Key=key, Body=body)

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """Lose the events of files that land within the body."""
        events, rule = self.client("events"), self.physical_id("LandingRule")
        events.disable_rule(Name=rule)
        yield
        events.enable_rule(Name=rule)

    def sweep(self, look_for: str) -> dict[str, Any]:
        """Invoke sweep_tables now, as its schedule does; return Lambda's response."""
        payload = json.dumps({"look_for": look_for}).encode()
        return self.invoking.invoke(FunctionName=self._sweep, Payload=payload)

    def wait(self, timeout: int = 60) -> None:
        deadline = time.monotonic() + timeout
        while left := self._deployed.left():
            assert time.monotonic() < deadline, f"after {timeout} s this is left: {left}"
            time.sleep(0.5)

    def status(self) -> Status:
        return self._deployed.status()

    def table_status(self, table: str) -> TableStatus:
        [found] = [one for one in self.status().tables if one.table == table]
        return found

    def start(self, request: Any) -> str:
        return self.runs.start_execution(
            stateMachineArn=self.variables["TIDEGATE_STATE_MACHINE_ARN"], input=json.dumps(request)
        )["executionArn"]

    def finished(self, run: str, timeout: float = 60) -> dict[str, Any]:
        """Wait for the end of the execution; return its description."""
        return until(lambda: self._ended(run), timeout=timeout, what=f"execution {run} did not end")

    def _ended(self, run: str) -> dict[str, Any] | None:
        described = self.runs.describe_execution(executionArn=run)
        return described if described["status"] != "RUNNING" else None

    def runs_of(self, table: str) -> list[str]:
        pages = self.runs.list_executions(
            stateMachineArn=self.variables["TIDEGATE_STATE_MACHINE_ARN"], maxResults=1000
        )["executions"]
        arns = [one["executionArn"] for one in pages]
        return [arn for arn in arns if self._input(arn) == {"table": table}]

    def _input(self, run: str) -> Any:
        return json.loads(self.runs.describe_execution(executionArn=run)["input"])

    @contextmanager
    def session(self) -> Iterator[redshift_connector.Connection]:
        with closing(self._connect()) as connection:
            yield connection

    def _connect(self) -> redshift_connector.Connection:
        # The driver reads its authorities only from the environment, and each stack has its own.
        with _ENVIRONMENT, pytest.MonkeyPatch.context() as environment:
            environment.setenv("SSL_CERT_FILE", self.variables["PGSSLROOTCERT"])
            return redshift_connector.connect(
                host=self.variables["PGHOST"],
                port=int(self.variables["PGPORT"]),
                database=self.variables["PGDATABASE"],
                user=self.variables["PGUSER"],
                password=self.variables["PGPASSWORD"],
            )

    def query(self, sql: str) -> list[list[Any]]:
        with self.session() as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(sql)
            return [list(row) for row in cursor.fetchall()] if cursor.description else []

    def batches(self, table: str) -> list[dict[str, int]]:
        names = ["rows_staged", "rows_inserted", "rows_updated", "rows_deleted", "rows_stale"]
        control = table.replace(".", "__")
        rows = self.query(
            f"select {', '.join(names)} from tidegate.{control}__batches order by batch"
        )
        return [dict(zip(names, row, strict=True)) for row in rows]

    @contextmanager
    def held(self, table: str) -> Iterator[None]:
        """Hold the lock of `table`, so that a job that merges into it must wait."""
        with self.session() as connection:
            control = table.replace(".", "__")
            connection.cursor().execute(f"lock table tidegate.{control}__batches")
            yield
            connection.rollback()


def free_ports() -> tuple[int, int]:
    """Return two free ports."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def until(
    look: Callable[[], Any],
    *,
    timeout: float = 30,
    what: str = "it did not happen",
    every: float = 0.1,
) -> Any:
    """Call `look` until it returns something true and return that; fail after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} within {timeout} s")
        time.sleep(every)
    return found
