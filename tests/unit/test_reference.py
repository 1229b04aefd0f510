"""The reference has each key, option, column, parameter and alarm that there is, and no other."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from samtranslator.yaml_helper import yaml_parse

from tests.unit.commands import EVERY_COMMAND, NO_OPTIONS, options
from tidegate.contract import Contract, check_contracts
from tidegate.contract.metadata_columns import columns_of_changes, columns_of_target
from tidegate.contract.model import Column
from tidegate.contract.source import Options, Source
from tidegate.landing.markers import is_marker
from tidegate.planning.request import read_request
from tidegate.status import TableStatus

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
ALARM = "AWS::CloudWatch::Alarm"


def keys(model: type[BaseModel], prefix: str = "") -> set[str]:
    return {prefix + (field.alias or name) for name, field in model.model_fields.items()}


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def parts(name: str) -> dict[str, str]:
    """The parts of a page of the reference, by their headings of the second level."""
    _, *found = re.split(r"^## (.+)$", page(name), flags=re.MULTILINE)
    return dict(zip(found[::2], found[1::2], strict=True))


def rows(text: str, *, whole: bool = False) -> list[str]:
    """The names that begin the rows of tables; with `whole` all of these rows."""
    if whole:
        return re.findall(r"^\| (.*`.*) \|$", text, re.MULTILINE)
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(EVERY_COMMAND))
def test_every_command_and_option_is_in_its_part_of_the_reference(name: str) -> None:
    command = EVERY_COMMAND[name]
    if not options(command) - NO_OPTIONS and hasattr(command, "commands"):
        return  # a group, whose commands have parts of their own
    part = parts("commands.md").get(f"tidegate {name.removesuffix(' list')}", "")
    assert part
    shown = {row.split()[0] for row in rows(part) if row.startswith("--")}
    assert shown == options(command) - NO_OPTIONS


def test_every_field_of_the_status_is_in_the_reference() -> None:
    shown = rows(parts("commands.md")["tidegate status"])
    assert set(TableStatus.model_fields) <= set(shown)


CONTRACT_KEYS = (
    keys(Contract)
    | keys(Source, "source.")
    | keys(Options, "source.options.")
    | keys(Column, "columns.")
) - {"source", "source.options"}
TABLES_OF_KEYS = "".join(
    text for heading, text in parts("contract.md").items() if heading.startswith("Keys of")
)
EXAMPLES = dict(re.findall(r"^\| `([a-z._]+)` \|.*\| `([^|]+)` \|$", TABLES_OF_KEYS, re.MULTILINE))
BASE = """
table: sales.orders
source: {prefix: dms/sales/orders/, format: dms_csv, options: {header: true, timestamp: time}}
key: [order_id]
columns: [{name: order_id, type: bigint}, {name: email, type: varchar(9)}]
"""
# What a contract must say as well, for the example of a key to make sense.
BESIDE: dict[str, dict[str, Any]] = {
    "changed_at": {"write": "history"},
    "track": {"write": "history"},
    "source.options.unsupplied": {"partial": True},
}


def with_example(key: str) -> dict[str, Any]:
    """A contract with the example of one key in its place."""
    contract: dict[str, Any] = yaml.safe_load(BASE) | BESIDE.get(key, {})
    within: Any = contract
    for part in key.split(".")[:-1]:
        within = within[part][-1] if part == "columns" else within[part]
    if key.startswith("columns.") or key == "columns":
        contract["key"] = [contract["columns"][0]["name"]]
    within.update(yaml.safe_load(EXAMPLES[key]))
    if key == "columns.name":
        contract["key"] = [within["name"]]
        del contract["columns"][0]
    if key == "source.format":
        contract["source"]["options"] = {}
    return contract


def test_every_key_of_a_contract_has_a_row_with_an_example() -> None:
    assert set(EXAMPLES) == CONTRACT_KEYS


@pytest.mark.parametrize("key", sorted(CONTRACT_KEYS))
def test_the_example_of_a_key_makes_a_contract_without_mistakes(key: str, tmp_path: Path) -> None:
    assert EXAMPLES[key].startswith(f"{key.rpartition('.')[2]}: ")
    path = tmp_path / "example.yaml"
    path.write_text(yaml.safe_dump(with_example(key)))
    _, mistakes = check_contracts([path])
    assert mistakes == []


def test_every_ignored_name_of_the_reference_is_ignored() -> None:
    shown = rows(parts("formats.md")["Files that are ignored"], whole=True)
    names = [name for row in shown for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
    assert len(names) > 10
    for name in names:
        if not name.startswith("awsdms_") and name != "/":
            key = f"sales/{name.replace('…', 'x')}" + ("part" if name.endswith("/") else "")
            assert is_marker(key), name


def test_every_input_of_a_run_in_the_reference_is_one() -> None:
    shown = re.findall(r'\{"table".*?\}', page("run-input.md"), re.DOTALL)
    assert len(shown) > 8
    for text in shown:
        given = json.loads(text)
        _, request = read_request(given, {given["table"]: contract_of(given["table"])})
        assert request.mode == given.get("mode", "load")


def contract_of(table: str) -> Contract:
    """One whose changes are ordered by numbers for orders, by times for others."""
    by = {"name": "seq", "type": "decimal(35,0)" if table == "sales.orders" else "timestamp"}
    prefix = f"dms/{table.replace('.', '/')}/"
    source = {"prefix": prefix, "format": "parquet"}
    return Contract.model_validate(
        {"table": table, "source": source, "key": ["seq"], "sequence": ["seq"], "columns": [by]}
    )


def test_every_column_that_tidegate_makes_in_redshift_is_in_the_reference() -> None:
    shown = parts("tables-in-redshift.md")
    contract = yaml.safe_load(BASE)
    for write in ("upsert", "soft_delete", "history", "append", "replace"):
        made = columns_of_target(Contract.model_validate(contract | {"write": write}))
        assert set(made) <= set(rows(shown["Metadata columns"]))
    for heading, control in (
        ("Batches", "batches"),
        ("Tombstones", "tombstones"),
        ("Truncations", "truncations"),
    ):
        text = (ROOT / "sql" / "control" / f"create_{control}.sql").read_text(encoding="utf-8")
        made = set(re.findall(r'^ {4}"?(\w+)"? \w', text, re.MULTILINE))
        assert made == set(rows(shown[heading]))
    for given in ({"write": "history"}, {"partial": True}):
        of_changes = columns_of_changes(Contract.model_validate(contract | given))
        assert set(of_changes) <= set(rows(shown["Change log"]))


def test_every_parameter_output_and_alarm_of_the_template_is_in_the_reference() -> None:
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    shown = parts("stack.md")
    assert set(rows(shown["Parameters"])) == set(template["Parameters"])
    assert set(rows(shown["Outputs"])) == set(template["Outputs"])
    alarms = {name for name, made in template["Resources"].items() if made["Type"] == ALARM}
    assert set(rows(shown["Alarms"])) == alarms


def test_every_default_of_a_parameter_is_the_one_of_the_template() -> None:
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    shown = re.findall(
        r"^\| `(\w+)` \| .* \| (.*) \|$", parts("stack.md")["Parameters"], re.MULTILINE
    )
    words = {"": "none", "ArtifactBucket": "SAM's own"}
    for name, default in shown:
        given = template["Parameters"][name].get("Default")
        told = "required" if given is None else words.get(name, words.get(str(given), f"`{given}`"))
        assert default == told, name
