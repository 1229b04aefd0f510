"""What the documents say exists, and what exists is in the documents."""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.unit.commands import EVERY_COMMAND, NO_OPTIONS, options
from tidegate.contract import check_contracts

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


def documents() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)


def written(tool: str) -> Iterator[list[str]]:
    for found, rest in COMMAND.findall(documents()):
        if found == tool:
            yield rest.split()


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


SHOW_A_CONTRACT = ("contract", "formats", "sequence")


@pytest.mark.parametrize(
    "name", ["README.md", *(f"docs/reference/{shown}.md" for shown in SHOW_A_CONTRACT)]
)
def test_the_contract_that_is_shown_has_no_mistakes(name: str, tmp_path: Path) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    shown = re.search(r"^ {4}table: .*\n(?: {4}.*\n)+", text, re.MULTILINE)
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
