"""Redshift is away, or lets nobody in: the table waits, and lands by itself when that is over."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.customers import CHANGES, FILES, SNAPSHOT, contract_text, model
from tests.e2e.harness import ROOT, LocalStack, free_ports, tidegate, until
from tidegate.ledger import LedgerTable
from tidegate.status import TableStatus

TABLE, PREFIX = "e2e.customers", "dms/e2e/customers/"
# So that one attempt is the most, and a run leaves what it waits for to a later one at once.
SETTINGS = {"MaxAttempts": "1", "RetrySeconds": "61"}


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("outage")
    (folder / "tables").mkdir()
    (folder / "tables" / "customers.yaml").write_text(contract_text(TABLE, PREFIX))
    port, warehouse_port = free_ports()
    ports = (f"--port={port}", f"--warehouse-port={warehouse_port}")
    files = (f"--tables={folder / 'tables'}", f"--template={write_template(folder / 'app')}")
    started = tidegate("local", "up", "--detach", *files, *ports, check=False)
    assert started.returncode == 0, started.stdout + started.stderr
    try:
        yield LocalStack(port)
    finally:
        tidegate("local", "down", f"--port={port}")


def write_template(folder: Path) -> Path:
    """The application with other settings, and no sweep but those that the test asks for."""
    folder.mkdir()
    for file in ROOT.iterdir():
        (folder / file.name).symlink_to(file)
    template = folder / "template.yaml"
    template.unlink()
    text = (ROOT / template.name).read_text(encoding="utf-8")
    for name, value in SETTINGS.items():
        assert text.count(f": !Ref {name}\n") == 1
        text = text.replace(f": !Ref {name}\n", f': "{value}"\n')
    template.write_text(re.sub(r"rate\(1 \w+\)", "rate(1 day)", text), encoding="utf-8")
    return template


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def change_secret(stack: LocalStack, **changed: Any) -> str:
    """Change what the connection secret says; give what it said before."""
    secrets = stack.client("secretsmanager")
    [listed] = secrets.list_secrets()["SecretList"]
    before = str(secrets.get_secret_value(SecretId=listed["ARN"])["SecretString"])
    changed_text = json.dumps(json.loads(before) | changed)
    secrets.put_secret_value(SecretId=listed["ARN"], SecretString=changed_text)
    return before


def waiting(stack: LocalStack, attempts: int) -> TableStatus:
    def look() -> TableStatus | None:
        found = stack.table_status(TABLE)
        return found if (found.state, found.attempts) == ("waiting", attempts) else None

    found: TableStatus = until(look, timeout=60, what=f"it does not wait after {attempts} attempts")
    return found


def sweep(stack: LocalStack) -> None:
    listed = stack.client("cloudformation").list_stack_resources(StackName="tidegate")
    [name] = [
        one["PhysicalResourceId"]
        for one in listed["StackResourceSummaries"]
        if one["LogicalResourceId"] == "SweepTables"
    ]
    stack.client("lambda").invoke(FunctionName=name, Payload=b'{"look_for": "due"}')


def let_the_wait_pass(stack: LocalStack) -> None:
    """Turn the time of the next attempt back, as if it had come."""
    ledger = LedgerTable(stack.client("dynamodb"), stack.variables["TIDEGATE_LEDGER_TABLE"])
    ledger.update(f"TABLE#{TABLE}", "STATE", "set retry_at = :at", {":at": 1})


def test_table_lands_by_itself_after_an_outage_that_outlasts_all_attempts(
    outage: LocalStack,
) -> None:
    before = json.loads(change_secret(outage, port=closed_port()))
    snapshot, changes = ((FILES / name).read_bytes() for name in (SNAPSHOT, CHANGES))
    outage.land(PREFIX + SNAPSHOT, snapshot)
    found = waiting(outage, attempts=1)
    assert (found.last_error or "").startswith("WarehouseBusyError: ")
    assert found.retry_at is not None

    # Nothing that lands starts a run before it is time.
    outage.land(PREFIX + CHANGES, changes)
    until(lambda: outage.table_status(TABLE).pending == 2, what="it was not registered")
    sweep(outage)
    assert len(outage.runs_of(TABLE)) == 1

    # A person may start it, and hears that it failed again.
    started = outage.command("start", "--all", check=False)
    assert started.returncode == 1
    assert "Tidegate tries again by itself" in started.stdout
    assert f"{TABLE}: failed attempts: 2; Tidegate tries again" in outage.command("status").stdout

    # Redshift is back, but lets nobody in.
    change_secret(outage, port=before["port"], password="changed")
    let_the_wait_pass(outage)
    sweep(outage)
    last_error = waiting(outage, attempts=3).last_error or ""
    assert last_error.startswith("DeploymentError: Tidegate cannot log in to Redshift")
    assert "SQLSTATE 28000" in last_error

    change_secret(outage, password=before["password"])
    let_the_wait_pass(outage)
    sweep(outage)
    outage.wait()
    rows = outage.query(f"select * from {TABLE}")
    own = 3  # _position, _batch, _applied_at
    assert {row[0]: tuple(row[:-own]) for row in rows} == model(snapshot, changes)
    status = outage.table_status(TABLE)
    assert (status.state, status.attempts, status.last_error) == ("idle", 0, None)
