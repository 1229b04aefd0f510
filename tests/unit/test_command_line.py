"""What the command line shows, and what it tells to type."""

import io
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from rich.console import Console
from typer.testing import CliRunner

from tidegate.cli import app
from tidegate.cli.local import as_typed
from tidegate.cli.status import show
from tidegate.contract import CompiledContracts
from tidegate.status import Status, TableStatus

WATERMARK = "000001 1 2024-08-09T19:27:17.787000 20240809-192717787.csv!/2024/08/09 0000000008"


def table(name: str, state: str = "idle", **more) -> TableStatus:
    counts = {"pending": 431, "applied_files": 10234, "quarantined_files": 3, "lag_seconds": 86520}
    nothing = {"watermark": None, "last_error": None}
    return TableStatus(table=name, state=state, quarantined_rows=120045, **counts, **nothing | more)


def shown(status: Status, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO())
    show(status, console)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [80, 120])
def test_status_keeps_each_table_on_a_line_and_its_watermark_whole(width):
    names = ["sales.customers", "sales.order_details"]
    lines = shown(
        Status(tables=[table(one, watermark=WATERMARK) for one in names], unrouted=3), width
    )
    assert [line.split()[0] for line in lines[:3]] == ["table", *names]
    assert [line.split()[1:] for line in lines[1:3]] == [
        ["idle", "431", "10234", "3", "files,", "120045", "rows", "86520", "s"]
    ] * 2
    assert all(len(line) <= width for line in lines[:3])
    assert lines[3:5] == [f"{name}: watermark {WATERMARK}" for name in names]
    assert lines[5:] == ["3 objects are unrouted: no contract claims them"]


def test_one_is_not_told_as_many():
    one = {"pending": 1, "quarantined_files": 1, "quarantined_rows": 1}
    lines = shown(Status(tables=[table("sales.orders").model_copy(update=one)], unrouted=1), 80)
    assert "1 file, 1 row" in lines[1]
    assert lines[2:] == ["1 object is unrouted: no contract claims it"]


def test_status_shows_an_error_whole_and_a_name_as_it_is():
    error = "LoadFailedError: " + "Redshift refused [it] " * 9
    blocked = table("odd.[red]name[/]", "blocked", last_error=error.strip())
    lines = shown(Status(tables=[blocked], unrouted=0), 80)
    assert lines[1].startswith("odd.[red]name[/]  blocked")
    assert lines[2:] == [f"odd.[red]name[/]: {error.strip()}"]


def test_status_tells_of_a_refresh_that_is_still_to_come():
    lines = shown(Status(tables=[table("sales.orders", refresh_wanted=True)], unrouted=0), 80)
    assert lines[2:] == ["sales.orders: a full refresh is pending"]


def test_status_tells_when_a_table_that_waits_is_tried_again():
    waiting = table(
        "sales.orders",
        "waiting",
        last_error="WarehouseBusyError: away",
        attempts=4,
        retry_at=datetime(2026, 1, 31, 18, 0, 5, tzinfo=UTC),
    )
    again = "failed attempts: 4; Tidegate tries again by itself at 2026-01-31 18:00:05 UTC"
    assert shown(Status(tables=[waiting], unrouted=0), 80)[2:] == [
        "sales.orders: WarehouseBusyError: away",
        f"sales.orders: {again}",
    ]


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "bin dir" / "tidegate"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_command_that_is_on_the_path_is_told_by_its_name(program, monkeypatch):
    monkeypatch.setenv("PATH", str(program.parent))
    assert as_typed(str(program)) == "tidegate"


@pytest.mark.parametrize("path", ["/nowhere", "other"])
def test_command_that_is_not_on_the_path_is_told_as_it_was_typed(
    program, monkeypatch, tmp_path, path
):
    other = tmp_path / "other" / "tidegate"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", path)
    assert as_typed(str(program)) == f"'{program}'"
    assert as_typed("bin dir/tidegate") == "'bin dir/tidegate'"


HEAVY = {"boto3", "botocore", "duckdb", "moto", "sqlglot", "yaml"} | {
    "tidegate.contract",
    "tidegate.ledger",
    "tidegate.local.control",
}


@pytest.mark.parametrize("words", [["--help"], ["local", "--help"], ["refresh", "--help"]])
def test_help_needs_nothing_of_what_commands_need(words):
    script = (
        "import atexit, sys; from tidegate.cli import app; "
        f"atexit.register(lambda: print('imported:', *sys.modules)); app({words})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shown, _, imported = done.stdout.rpartition("imported:")
    assert "Usage: " in shown
    assert HEAVY & set(imported.split()) == set()


def invoke(*words: str):
    return CliRunner().invoke(app, words)


def test_without_a_deployment_status_says_what_to_point_at(aws):
    found = invoke("status")
    assert found.exit_code == 1
    assert found.stderr.startswith("environment variables are missing or wrong (TIDEGATE_LEDGER")
    assert 'for a local stack: eval "$(tidegate local env)"' in found.stderr


@pytest.mark.parametrize("gone", ["AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"])
def test_stack_that_is_gone_is_told_in_one_line(monkeypatch, gone):
    pointed = {
        "TIDEGATE_LEDGER_TABLE": "ledger",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": "/nowhere",
    }
    for name, value in pointed.items():
        monkeypatch.setenv(name, value)
    if gone == "AWS_DEFAULT_REGION":
        monkeypatch.delenv(gone)
    found = invoke("status")
    assert (found.exit_code, found.stderr.count("\n")) == (1, 1)
    assert found.stderr.startswith("AWS does not answer: ")


def test_ledger_that_is_not_there_is_told_in_one_line(aws, monkeypatch):
    monkeypatch.setenv("TIDEGATE_LEDGER_TABLE", "nope")
    found = invoke("status")
    assert (found.exit_code, found.stderr.count("\n")) == (1, 1)
    assert found.stderr.startswith("AWS refused: ")


def test_mistake_keeps_its_line_whatever_its_number_means_elsewhere(tmp_path):
    contract = tmp_path / "a.yaml"
    contract.write_text("# one line\n" * 99 + "table: x\n")
    assert (
        f"{contract}:100: table: 'x' must be written schema.table"
        in invoke("check", str(contract)).stdout.splitlines()
    )


RIGHT = """\
table: sales.orders
source: {prefix: dms/sales/orders/, format: jsonl}
key: [id]
columns: [{name: id, type: bigint}]
"""


def test_contracts_are_compiled_into_a_folder(tmp_path):
    (tmp_path / "a.yaml").write_text(RIGHT)
    into = tmp_path / "new/folder"
    compiled = invoke("compile", str(tmp_path), "--into", str(into))
    assert (compiled.exit_code, compiled.stdout) == (0, f"compiled 1 contract into {into}\n")
    assert [route.prefix for route in CompiledContracts(into).routes] == ["dms/sales/orders/"]


@pytest.mark.parametrize("text", [None, RIGHT.replace("bigint", "int")])
def test_contracts_with_a_mistake_are_not_compiled_and_told_as_by_check(tmp_path, text):
    if text:
        (tmp_path / "a.yaml").write_text(text)
    compiled = invoke("compile", str(tmp_path), "--into", str(tmp_path / "out"))
    checked = invoke("check", str(tmp_path))
    assert (compiled.exit_code, compiled.stdout) == (1, checked.stdout)
    assert not (tmp_path / "out").exists()
