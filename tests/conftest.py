"""How the tests are dealt out to the workers of pytest-xdist."""

from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadScopeScheduling


class ByStack(LoadScopeScheduling):
    """Keeps together what shares a stack or a warehouse, for it takes seconds to start."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if path.startswith("tests/e2e/"):
            return str(PurePosixPath(path).parent)
        # Each write mode has a table of its own, and takes minutes.
        return nodeid if path == "tests/property/test_modes.py" else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByStack:
    return ByStack(config, log)
