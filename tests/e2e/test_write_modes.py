"""Each write mode through the whole stack: the same three files, whose last one comes first."""

from datetime import datetime
from typing import Any

import pytest

from tests.e2e.harness import LocalStack

FIRST = b"Op,at,id,name\nI,2024-08-09 01:00:00,1,Ann\nI,2024-08-09 01:00:00,2,Bob\n"
SECOND = b"Op,at,id,name\nU,2024-08-09 02:00:00,1,Anna\nI,2024-08-09 02:00:00,3,Cy\n"
THIRD = b"Op,at,id\nD,2024-08-09 03:00:00,2\nU,2024-08-09 03:00:00,3\n"
WHOLE = b"Op,at,id,name\nD,2024-08-09 03:00:00,2,\nU,2024-08-09 03:00:00,3,Cy\n"


def hour(number: int) -> datetime:
    return datetime(2024, 8, 9, number)


EXPECTED: dict[str, tuple[str, list[list[Any]]]] = {
    "upsert": ("id, name", [[1, "Anna"], [3, "Cy"]]),
    "soft_delete": (
        "id, name, _deleted_at is not null",
        [[1, "Anna", False], [2, "Bob", True], [3, "Cy", False]],
    ),
    "history": (
        "id, valid_from, name, valid_to, is_current",
        [
            [1, hour(1), "Ann", hour(2), False],
            [1, hour(2), "Anna", None, True],
            [2, hour(1), "Bob", hour(3), False],
            [3, hour(2), "Cy", None, True],
        ],
    ),
    "append": (
        "id, split_part(_position, '-', 1), _op, name",
        [
            [1, "000001 1  1.csv 0000000001", "I", "Ann"],
            [1, "000001 1  2.csv 0000000001", "U", "Anna"],
            [2, "000001 1  1.csv 0000000002", "I", "Bob"],
            [2, "000001 1  3.csv 0000000001", "D", ""],
            [3, "000001 1  2.csv 0000000002", "I", "Cy"],
            [3, "000001 1  3.csv 0000000002", "U", "Cy"],
        ],
    ),
    "replace": ("id, name", [[3, "Cy"]]),
}


@pytest.mark.parametrize("mode", EXPECTED)
def test_rows_are_kept_as_the_contract_says(stack: LocalStack, mode: str) -> None:
    third = THIRD if mode == "upsert" else WHOLE
    for name, content in {"3.csv": third, "2.csv": SECOND, "1.csv": FIRST}.items():
        stack.land(f"modes/{mode}/{name}", content)
        stack.wait()
    columns, rows = EXPECTED[mode]
    assert stack.query(f"select {columns} from modes.{mode} order by 1, 2") == rows
