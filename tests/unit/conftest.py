"""AWS as moto has it, in the process of the tests."""

from collections.abc import Iterator

import pytest
from moto import mock_aws


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """Credentials that open nothing, and services that forget everything after the module."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield
