"""How tests are dealt out to the workers of pytest-xdist, and what these need not do or see."""

import gc
import os
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.permissions_proof import NAME, Proof
from tidegate.local.warehouse.protocol.certificates import Certificates, make_certificates

_LONG_E2E = "tests/e2e/test_refresh.py"  # as long as the others together: worth a stack of its own


class ByStack(LoadScopeScheduling):
    """Keeps together what shares a stack or a warehouse, for it takes seconds to start.

    They are dealt out in the order of their names (--no-loadscope-reorder): what takes long, e2e
    and property, comes first, and the short ones of unit fill what is left. xdist's own order is by
    the number of tests: the write modes, one test each and the longest of all, would come last.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if path.startswith("tests/e2e/") and path != _LONG_E2E:
            return str(PurePosixPath(path).parent)
        # Each write mode has a table of its own, and takes minutes.
        return nodeid if path == "tests/property/test_modes.py" else path


# As after `eval "$(tidegate local env)"`: no test may reach what the shell points at.
_POINTERS = ("AWS_", "PG", "TIDEGATE_")
_OWN = ("TIDEGATE_EXAMPLES", "TIDEGATE_ALL_FAULTS", "TIDEGATE_TEST_CUSTOMERS")


# Whether a test passes never depends on how fast the machine is.
settings.register_profile("tidegate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tidegate")


def pytest_configure(config: pytest.Config) -> None:
    """Forget the AWS, the warehouse and the Tidegate of the shell."""
    config.pluginmanager.register(Proof(), NAME)
    for name in list(os.environ):
        if name.startswith(_POINTERS) and name not in _OWN:
            del os.environ[name]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByStack:
    return ByStack(config, log)


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what was imported, which lasts as long as the tests.

    To look through it again and again took 42 s instead of 38 s for 60 histories of a write mode.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certificates]:
    """What warehouses of this process serve with; its drivers trust them meanwhile."""
    made = make_certificates(tmp_path_factory.mktemp("certificates"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(made.authority))
        yield made


def pytest_sessionfinish() -> None:
    """Let what libraries say of their garbage be said while pytest still listens."""
    gc.unfreeze()
    gc.collect()
