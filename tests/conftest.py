"""How the tests are dealt out to the workers: those that share a stack stay together."""

from pathlib import Path

import pytest

E2E = Path(__file__).parent / "e2e"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist, which reads the marks in this hook too
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            is_e2e = item.path.is_relative_to(E2E)
            item.add_marker(pytest.mark.xdist_group(str(item.path.parent if is_e2e else item.path)))
