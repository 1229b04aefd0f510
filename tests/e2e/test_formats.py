"""Parquet and JSON lines through the whole stack, a new column in the second file."""

from decimal import Decimal

import pytest

from tests.e2e.harness import LocalStack
from tests.unit.samples import parquet

AMOUNT = "1234567890123456789.1234"
FILES = {
    "jsonl": [
        f'{{"id": 1, "amount": {AMOUNT}}}\n{{"id": 2, "amount": null}}\n'.encode(),
        b'{"Op": "D", "id": 2}\n{"Op": "U", "id": 1, "amount": 2, "Note": {"a": [1]}}\n',
    ],
    "parquet": [
        parquet(f"select unnest([1, 2]) as id, unnest([{AMOUNT}, null]) as amount"),
        parquet(
            "select unnest(['D', 'U']) as \"Op\", unnest([2, 1]) as id, "
            "unnest([null, 2]) as amount, unnest([null, {'a': [1]}]) as \"Note\""
        ),
    ],
}


@pytest.mark.parametrize("written_as", FILES)
def test_a_table_follows_files_of_the_format(stack: LocalStack, written_as: str) -> None:
    whole, changes = FILES[written_as]
    stack.land(f"formats/{written_as}/LOAD00000001", whole)
    stack.wait()
    select = f"select id, amount from formats.{written_as} order by id"
    assert stack.query(select) == [[1, Decimal(AMOUNT)], [2, None]]

    stack.land(f"formats/{written_as}/20240809-1", changes)
    stack.wait()
    assert stack.query(f"select id, amount, note from formats.{written_as}") == [
        [1, Decimal(2), '{"a":[1]}']
    ]
    status = stack.table_status(f"formats.{written_as}")
    assert (status.state, status.quarantined_files, status.quarantined_rows) == ("idle", 0, 0)
