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


@pytest.mark.parametrize(
    ("written", "bytes_", "again"),
    [("512MB", 512 << 20, "512MB"), ("3GB", 3 << 30, "3GB"), ("2048MB", 2 << 30, None)],
)
def test_size_is_megabytes_or_gigabytes(written, bytes_, again):
    found = contract(source={"prefix": "a/", "format": "jsonl", "max_unpacked": written})
    assert found.source.max_unpacked == bytes_
    assert found.as_written()["source"].get("max_unpacked") == again
    assert Contract.model_validate(found.as_written()) == found


@pytest.mark.parametrize("written", ["1.5GB", "2 GB", "0MB", "-1GB", "2", True, 1.0, 5])
def test_size_of_another_form_is_refused(written):
    with pytest.raises(ValueError, match="is not a size; write a number and MB or GB: 512MB"):
        contract(source={"prefix": "a/", "format": "jsonl", "max_unpacked": written})


@pytest.mark.parametrize(
    ("size", "most"), [(0, 64 << 20), (1000, 64 << 20), (1 << 20, 100 << 20), (1 << 30, 2 << 30)]
)
def test_few_bytes_may_unpack_to_64_megabytes_more_to_a_hundred_times_but_no_more_than_2_gigabytes(
    size, most
):
    assert contract().source.most_unpacked(size) == most
