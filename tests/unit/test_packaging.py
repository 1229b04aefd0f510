"""What a user gets from `pip install tidegate`."""

import subprocess
import sys
import tomllib
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory) -> set[str]:
    """The names in a wheel built as the layer is built: from a source distribution, offline."""
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT]
    built = subprocess.run(build, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    [wheel] = out.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_carries_every_module(shipped):
    modules = {str(path.relative_to(ROOT / "src")) for path in ROOT.glob("src/tidegate/**/*.py")}
    assert modules - shipped == set()


def test_the_wheel_carries_every_statement(shipped):
    statements = {f"tidegate/{path.relative_to(ROOT)}" for path in ROOT.glob("sql/**/*.sql")}
    assert statements
    assert statements - shipped == set()


def test_the_wheel_carries_its_types_and_its_license(shipped):
    assert "tidegate/py.typed" in shipped
    assert any(name.endswith("licenses/LICENSE") for name in shipped)


def test_the_installed_package_finds_its_statements():
    names = {path.name for path in files("tidegate.sql").iterdir()}
    assert {path.name for path in (ROOT / "sql").iterdir() if path.is_dir()} <= names | {
        "__pycache__"
    }


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("requirements/*.txt")), ids=lambda path: path.stem
)
def test_every_locked_requirement_has_a_hash_and_no_index(path):
    lines = path.read_text().splitlines()
    pinned = [i for i, line in enumerate(lines) if "==" in line and not line.startswith((" ", "#"))]
    assert pinned
    assert all("--hash=sha256:" in lines[i + 1] for i in pinned)
    assert not any(line.startswith(("-", "http")) or "file:" in line for line in lines)


def test_a_layer_carries_the_versions_that_were_tested():
    def versions(name: str) -> set[str]:
        text = (ROOT / f"requirements/{name}.txt").read_text()
        return {line.split()[0] for line in text.splitlines() if "==" in line.split("#")[0]}

    assert versions("package-layer") | versions("duckdb-layer") <= versions("dev")


def test_every_group_of_dependencies_is_locked():
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    locked = {path.stem for path in ROOT.glob("requirements/*.txt")}
    assert locked == {"dev", *groups}
