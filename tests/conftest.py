"""Assigns tests to xdist workers, and shields tests from the shell's environment."""

import gc
import os
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.permissions_proof import NAME, Proof
from tidegate.local.warehouse.protocol.certificates import Certificates, make_certificates

_LONG_E2E = "tests/e2e/test_refresh.py"  # as long as all other e2e tests: it gets its own stack


class ByStack(LoadScopeScheduling):
    """Gives tests that share a stack or a warehouse to one worker: each takes seconds to start.

    Workers get tests in the order of their names (--no-loadscope-reorder): first the long ones, e2e
    and property; then the short unit tests fill the rest. xdist's own order goes by the number of
    tests. It would run the write modes last: one test each, and the longest of all.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if path.startswith("tests/e2e/") and path != _LONG_E2E:
            return str(PurePosixPath(path).parent)
        # Each write mode has its own table and takes minutes.
        return nodeid if path == "tests/property/test_modes.py" else path


# Variables that `eval "$(tidegate local env)"` sets: no test may reach what the shell points at.
_POINTERS = ("AWS_", "PG", "TIDEGATE_")
_OWN = ("TIDEGATE_EXAMPLES", "TIDEGATE_ALL_FAULTS", "TIDEGATE_TEST_CUSTOMERS")


# A test's result must not depend on the machine's speed.
settings.register_profile("tidegate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tidegate")


def pytest_configure(config: pytest.Config) -> None:
    """Remove the shell's AWS, warehouse and Tidegate variables."""
    config.pluginmanager.register(Proof(), NAME)
    for name in list(os.environ):
        if name.startswith(_POINTERS) and name not in _OWN:
            del os.environ[name]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByStack:
    return ByStack(config, log)


def pytest_collection_finish() -> None:
    """Exclude imported objects from garbage collection; they live as long as the tests.

    This cuts 60 histories of a write mode from 42 s to 38 s.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certificates]:
    """Make the certificates of this process's warehouses; let its drivers trust them."""
    made = make_certificates(tmp_path_factory.mktemp("certificates"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(made.authority))
        yield made


def pytest_sessionfinish() -> None:
    """Collect garbage while pytest can still report the warnings of libraries."""
    gc.unfreeze()
    gc.collect()
