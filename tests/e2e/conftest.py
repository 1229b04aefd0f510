"""Fixtures: one local stack for all end-to-end tests, and a fresh table for each test that asks."""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.customers import contract_text
from tests.e2e.harness import LocalStack, free_ports, tidegate
from tests.permissions_proof import recorded

TABLES = 45

ODD = {
    "table": "e2e odd.order \"by\" 'select'; --",
    "source": {
        "prefix": "odd/sp ace & ünïcode+%2F/",
        "format": "dms_csv",
        "fields": ["Key'; drop table x; --", 'Große "Straße"', "100%", "%s"],
    },
    "key": ["select"],
    "columns": [
        {"name": "select", "type": "bigint", "from": "Key'; drop table x; --"},
        {"name": 'straße "x" {y}', "type": "varchar(100)", "from": 'Große "Straße"'},
        {"name": "100%", "type": "decimal(5,2)"},
        {"name": "path", "type": "varchar(40)", "from": "%s"},
    ],
}

GROWING = {
    "table": "e2e.growing",
    "source": {"prefix": "dms/e2e/growing/", "format": "dms_csv", "options": {"header": True}},
    "key": ["id"],
    "columns": [{"name": "id", "type": "integer"}, {"name": "name", "type": "varchar(8)"}],
    "evolve": "add",
}
FIXED = GROWING | {
    "table": "fixed.orders",
    "source": {"prefix": "dms/e2e/fixed/", "format": "dms_csv", "options": {"header": True}},
}
UNHEARD = GROWING | {
    "table": "e2e.unheard",
    "source": {"prefix": "dms/e2e/unheard/", "format": "dms_csv", "options": {"header": True}},
}
FORMATS = {
    written_as: {
        "table": f"formats.{written_as}",
        "source": {"prefix": f"formats/{written_as}/", "format": written_as},
        "key": ["id"],
        "columns": [{"name": "id", "type": "integer"}, {"name": "amount", "type": "decimal(30,4)"}],
        "evolve": "add",
    }
    for written_as in ("jsonl", "parquet")
}
DEADLY = FORMATS["parquet"] | {
    "table": "formats.deadly",
    "source": {"prefix": "formats/deadly/", "format": "parquet"},
    "evolve": "ignore",
}
WRITE_MODES = {
    "upsert": {"key": ["id"], "partial": True},
    "soft_delete": {"key": ["id"]},
    "history": {"key": ["id"], "changed_at": "at"},
    "append": {},
    "replace": {},
}


@dataclass(frozen=True)
class FreshTable:
    """Return a table for which nothing has landed yet."""

    name: str
    prefix: str


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[LocalStack]:
    tables = tmp_path_factory.mktemp("tables")
    for number in range(TABLES):
        _write_customers(tables, number)
    (tables / "odd.yaml").write_text(yaml.safe_dump(ODD, allow_unicode=True), encoding="utf-8")
    (tables / "growing.yaml").write_text(yaml.safe_dump(GROWING), encoding="utf-8")
    (tables / "unheard.yaml").write_text(yaml.safe_dump(UNHEARD), encoding="utf-8")
    (tables / "fixed.yaml").write_text(yaml.safe_dump(FIXED), encoding="utf-8")
    (tables / "deadly.yaml").write_text(yaml.safe_dump(DEADLY), encoding="utf-8")
    for written_as, formatted in FORMATS.items():
        (tables / f"{written_as}.yaml").write_text(yaml.safe_dump(formatted), encoding="utf-8")
    for mode, keys in WRITE_MODES.items():
        text = yaml.safe_dump(_contract_of(mode) | keys)
        (tables / f"{mode}.yaml").write_text(text, encoding="utf-8")
    port, warehouse_port = free_ports()
    up = ["local", "up", "--detach", f"--tables={tables}"]
    started = tidegate(*up, f"--port={port}", f"--warehouse-port={warehouse_port}", check=False)
    assert started.returncode == 0, started.stdout + started.stderr
    try:
        with recorded(pytestconfig, port):
            yield LocalStack(port)
    finally:
        tidegate("local", "down", f"--port={port}")


@pytest.fixture(scope="session")
def _numbers() -> Iterator[int]:
    return itertools.count()


@pytest.fixture
def table(_numbers: Iterator[int]) -> FreshTable:
    number = next(_numbers)
    assert number < TABLES, "more tests than tables: raise TABLES"
    return _fresh(number)


@pytest.fixture
def other_table(_numbers: Iterator[int]) -> FreshTable:
    return _fresh(next(_numbers))


def _fresh(number: int) -> FreshTable:
    # Each xdist worker runs its own stack; the names of their tables must differ.
    name = f"customers_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{number}"
    return FreshTable(f"e2e.{name}", f"dms/e2e/{name}/")


def _contract_of(mode: str) -> dict[str, Any]:
    source = {"prefix": f"modes/{mode}/", "format": "dms_csv", "options": {"header": True}}
    columns = [{"name": "id", "type": "integer"}, {"name": "name", "type": "varchar(20)"}]
    return {"table": f"modes.{mode}", "source": source, "write": mode, "columns": columns}


def _write_customers(folder: Path, number: int) -> None:
    fresh = _fresh(number)
    text = contract_text(fresh.name, fresh.prefix)
    (folder / f"customers_{number}.yaml").write_text(text, encoding="utf-8")
