"""Limits of a contract are rows or percentages, and come back from a plan as they were."""

import pytest

from tests.unit.samples import contract
from tidegate.contract import Contract
from tidegate.contract.limits import HALF, Limit


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (5000, Limit(5000)),
        ("5000", Limit(5000)),
        (0, Limit(0)),
        ("10%", Limit(10, is_percentage=True)),
        (None, None),
        ("none", None),
    ],
)
def test_limit_of_deletes_is_rows_or_a_percentage_or_nothing(written, meant):
    found = contract(max_deletes=written)
    assert found.max_deletes == meant
    assert Contract.model_validate(found.as_written()) == found


def test_half_is_the_limit_where_nothing_is_written():
    assert (contract().max_deletes, contract().refresh_floor) == (HALF, HALF)
    assert "max_deletes" not in contract().as_written()
