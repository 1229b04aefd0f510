"""The commands a user types, against a running stack."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import FreshTable
from tests.e2e.customers import FILES, SNAPSHOT
from tests.e2e.harness import LocalStack, tidegate


def test_status_as_json_has_the_promised_keys(stack: LocalStack, table: FreshTable) -> None:
    stack.land(table.prefix + SNAPSHOT, (FILES / SNAPSHOT).read_bytes())
    stack.wait()
    status = json.loads(stack.command("status", "--json").stdout)
    [shown] = [one for one in status["tables"] if one["table"] == table.name]
    watermark = shown.pop("watermark")
    assert re.fullmatch(r"000001 0  \d{10}!/LOAD00000001.csv 0000000008", watermark)
    assert shown == {
        "table": table.name,
        "state": "idle",
        "pending": 0,
        "applied_files": 1,
        "quarantined_files": 0,
        "quarantined_rows": 0,
        "lag_seconds": 0,
        "last_error": None,
        "attempts": 0,
        "retry_at": None,
        "evolved_columns": [],
        "refresh_wanted": False,
        "as_of": None,
    }
    assert isinstance(status["unrouted"], int)


def test_wait_ends_when_all_that_landed_is_in_the_target(
    stack: LocalStack, table: FreshTable
) -> None:
    stack.land(table.prefix + SNAPSHOT, (FILES / SNAPSHOT).read_bytes())
    waited = stack.command("wait", "--timeout=60")
    assert (waited.returncode, waited.stderr) == (0, "")
    assert stack.query(f"select count(*) from {table.name}") == [[8]]


def test_status_as_a_table_names_every_table(stack: LocalStack, table: FreshTable) -> None:
    shown = stack.command("status").stdout
    assert table.name in shown
    assert "pending" in shown


def test_the_variables_of_local_env_are_those_that_are_promised(stack: LocalStack) -> None:
    assert set(stack.variables) >= {
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_DEFAULT_REGION",
        "TIDEGATE_LANDING_BUCKET",
        "TIDEGATE_STATE_MACHINE_ARN",
        "TIDEGATE_LEDGER_TABLE",
        "PGHOST",
        "PGPORT",
        "PGUSER",
        "PGPASSWORD",
        "PGDATABASE",
    }


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_psql_reads_what_landed(stack: LocalStack, table: FreshTable) -> None:
    stack.land(table.prefix + SNAPSHOT, (FILES / SNAPSHOT).read_bytes())
    stack.wait()
    query = f"select contact_last_name, postal_code from {table.name} where customer_number = 201"
    done = subprocess.run(
        ["psql", "-XAtc", query], env=stack.environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "Müller|01307\n"


def test_a_port_that_is_taken_is_named(stack: LocalStack) -> None:
    taken = stack.variables["PGPORT"]
    port = stack.port + 1 if stack.port < 65535 else stack.port - 1
    up = ["local", "up", "--detach", f"--port={port}", f"--warehouse-port={taken}"]
    refused = tidegate(*up, check=False)
    assert refused.returncode == 1
    assert taken in refused.stderr
    assert "--warehouse-port" in refused.stderr


def test_check_names_a_mistake_with_file_line_and_remedy(tmp_path: Path) -> None:
    contract = tmp_path / "orders.yaml"
    contract.write_text("table: Sales.orders\nkee: [id]\n", encoding="utf-8")
    done = tidegate("check", str(contract), check=False)
    assert done.returncode == 1
    wanted = "orders.yaml:1: table: Redshift folds 'Sales' to lower case; write 'sales'"
    assert wanted in done.stdout
    assert (
        "orders.yaml:2: kee: unknown key (did you mean 'key'?); correct or remove it" in done.stdout
    )
