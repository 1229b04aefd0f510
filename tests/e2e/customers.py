"""The customers table: its contract, its files, and a plain Python model of their outcome."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "demo" / "customers"
SNAPSHOT = "LOAD00000001.csv"
CHANGES = "20240809-192717787.csv"
Row = tuple[object, ...]


def contract_text(table: str, prefix: str) -> str:
    """The contract of the demo, for another table and prefix."""
    contract = yaml.safe_load((ROOT / "tables" / "customers.yaml").read_text(encoding="utf-8"))
    contract["table"] = table
    contract["source"]["prefix"] = prefix
    # A bare `null:` is no text for YAML; a contract takes it as the word it is.
    options = contract["source"]["options"]
    contract["source"]["options"] = {key or "null": value for key, value in options.items()}
    return yaml.safe_dump(contract, sort_keys=False).replace("null: ''", '"null": ""')


def model(*files: bytes) -> dict[int, Row]:
    """The rows after `files`, given in source order: what Python's csv module and a dict make."""
    rows: dict[int, Row] = {}
    for file in files:
        for record in csv.reader(io.StringIO(file.decode(), newline="")):
            operation, fields = (record[0], record[1:]) if record[0] in "IUD" else ("I", record)
            key = int(fields[0])
            rows.pop(key, None)
            if operation != "D":
                rows[key] = _row(key, fields)
    return rows


def _row(key: int, fields: list[str]) -> Row:
    texts = [text or None for text in fields[1:-2]]
    employee, limit = fields[-2:]
    return (
        key,
        *texts,
        int(employee) if employee else None,
        Decimal(limit) if limit else None,
    )
