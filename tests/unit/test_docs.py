"""What the documents say exists, and what exists is in the documents."""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import click
import pytest
import typer.main
from pydantic import BaseModel

from tidegate.cli import app
from tidegate.contract import check_contracts
from tidegate.contract.model import Column, Contract
from tidegate.contract.source import Options, Source

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
COMMAND = re.compile(
    r"(?:^ {4}|`|\$\()(?:\S*bin/)?(tidegate|make) ([a-z\[][^`#)\n]*)", re.MULTILINE
)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
NO_OPTIONS = {"--help"}


def documents() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)


def written(tool: str) -> Iterator[list[str]]:
    for found, rest in COMMAND.findall(documents()):
        if found == tool:
            yield rest.split()


def commands(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    for word, part in getattr(command, "commands", {}).items():
        path = f"{name} {word}".strip()
        yield path, part
        yield from commands(part, path)


def options(command: click.Command) -> set[str]:
    return {text for one in command.params for text in one.opts if text.startswith("--")}


EVERY_COMMAND = dict(commands(typer.main.get_command(app)))


def is_a_command(words: list[str]) -> bool:
    name, rest = "", list(words)
    while rest and (longer := f"{name} {rest[0]}".strip()) in EVERY_COMMAND:
        name, rest = longer, rest[1:]
    if not name:
        return False
    parts = getattr(EVERY_COMMAND[name], "commands", {})
    if "list" in parts and not (rest and rest[0] in parts):  # it need not be named
        return is_a_command([*name.split(), "list", *rest])
    if parts:  # several of them may be named at once: up|env|down
        return not rest or set(rest[0].split("|")) <= set(parts)
    given = {word.strip("[]") for word in rest if word.strip("[]").startswith("--")}
    return given <= options(EVERY_COMMAND[name]) | NO_OPTIONS


def keys(model: type[BaseModel], prefix: str = "") -> set[str]:
    return {prefix + (field.alias or name) for name, field in model.model_fields.items()}


def test_every_command_of_tidegate_in_the_documents_exists() -> None:
    shown = list(written("tidegate"))
    assert shown
    assert [words for words in shown if not is_a_command(words)] == []


def test_a_command_that_does_not_exist_would_be_seen() -> None:
    assert not is_a_command(["local", "start"])
    assert not is_a_command(["wait", "--forever"])


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = {words[0] for words in written("make")}
    assert shown
    assert shown <= targets


@pytest.mark.parametrize("name", sorted(EVERY_COMMAND))
def test_every_command_and_option_is_in_the_documents(name: str) -> None:
    text = documents()
    command = EVERY_COMMAND[name]
    if not hasattr(command, "commands"):
        assert f"tidegate {name}" in text
    assert {option for option in options(command) - NO_OPTIONS if option not in text} == set()


def test_every_key_of_a_contract_has_a_row_in_its_page() -> None:
    page = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([a-z._]+)` \|", page, re.MULTILINE))
    parts = {"source", "source.options"}
    assert (
        rows
        == (
            keys(Contract)
            | keys(Source, "source.")
            | keys(Options, "source.options.")
            | keys(Column, "columns.")
        )
        - parts
    )


@pytest.mark.parametrize("name", ["README.md", "docs/contracts.md"])
def test_the_contract_that_is_shown_has_no_mistakes(name: str, tmp_path: Path) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    shown = re.search(r"^ {4}table: .*\n(?: {4}.*\n)+", page, re.MULTILINE)
    assert shown
    path = tmp_path / "shown.yaml"
    path.write_text(dedent(shown[0]))
    contracts, mistakes = check_contracts([path])
    assert mistakes == []
    assert len(contracts) == 1


def test_every_relative_link_leads_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in DOCUMENTS
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_its_number_and_its_three_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {int(page.stem[:4])}. ")
    parts = re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequences"]


def test_every_test_that_a_guarantee_names_is_there() -> None:
    page = (ROOT / "docs" / "how-it-works" / "guarantees.md").read_text(encoding="utf-8")
    named = re.findall(r"`(\w+(?:/\w+)*\.py)(?:::(test_\w+))?`", page)
    assert len(named) > 40
    for path, name in named:
        text = (ROOT / "tests" / path).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in text, name
