"""What a reader of the repository can type."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.contract import CompiledContracts, read_contracts

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_alone_lists_every_target_with_what_it_does():
    make = ["make", "--no-print-directory"]
    listed = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = {line.split()[1]: line.split(maxsplit=2)[2] for line in listed.splitlines()}
    assert " ".join(targets) == "help setup demo test soak check fix build docs bench lock"
    assert all(targets.values())


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_the_layer_of_contracts_holds_those_of_the_repository_compiled(tmp_path):
    tidegate = Path(sys.executable).with_name("tidegate")
    given = [f"ARTIFACTS_DIR={tmp_path}", f"TIDEGATE={tidegate}"]
    make = ["make", "--makefile", ROOT / "layers/contracts/Makefile", *given]
    subprocess.run([*make, "build-ContractsLayer"], cwd=tmp_path, check=True)
    tables = {contract.table: contract for contract in read_contracts(ROOT / "tables")}
    assert dict(CompiledContracts(tmp_path)) == tables


def test_ci_runs_the_checks_and_the_tests():
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    commands = [line for line in script.read_text().splitlines() if line.startswith("make ")]
    assert commands == ["make check", "make test"]
