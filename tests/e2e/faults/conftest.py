"""Fixtures of the fault tests: the stack with proxies and its tables."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.faults.changes import Customers, Landed, People
from tests.e2e.faults.stack import FaultedStack, faulted_stack
from tests.e2e.faults.tables import Tables
from tests.permissions_proof import recorded

ALL_FAULTS = os.environ.get("TIDEGATE_ALL_FAULTS") == "1"
TABLES = 100 if ALL_FAULTS else 45
PEOPLE = 80 if ALL_FAULTS else 12


@pytest.fixture(scope="session")
def faulted(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[FaultedStack]:
    if not Path("/proc/net/tcp").exists():
        pytest.skip("only Linux tells which process owns a connection")
    # All names have the same length, so that none is part of another.
    tables: dict[str, type[Landed]] = {
        **dict.fromkeys((f"e2e.faults_{number:03d}" for number in range(TABLES)), Customers),
        **dict.fromkeys((f"e2e.people_{number:03d}" for number in range(PEOPLE)), People),
    }
    with faulted_stack(tmp_path_factory.mktemp("faulted"), tables) as stack:
        with recorded(pytestconfig, stack.port):
            yield stack
        assert stack.files.count_unrouted() == 0


@pytest.fixture(scope="session")
def tables(faulted: FaultedStack) -> Tables:
    return Tables(faulted)
