"""Values of every type pass through Parquet, staging and merge unchanged."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from tests.property.modes import COLUMNS, Mode
from tests.property.pipeline import Pipeline, Table
from tests.unit.samples import contract
from tidegate.column_types import ColumnType

# By type, what a file holds, what the driver gives for it, and another text of the type.
TYPES: dict[str, tuple[str, Any, str]] = {
    "smallint": ("-5", -5, "6"),
    "integer": ("70000", 70_000, "80000"),
    "bigint": ("9000000000", 9_000_000_000, "9000000001"),
    "decimal(9,2)": ("12.5", Decimal("12.50"), "-0.01"),
    "decimal(18,4)": ("99999999999999.9999", Decimal("99999999999999.9999"), "0"),
    "decimal(38,10)": (
        "-123456789012345678.0123456789",
        Decimal("-123456789012345678.0123456789"),
        "1",
    ),
    "real": ("1.5", 1.5, "2.5"),
    "double": ("0.1", 0.1, "1e300"),
    "boolean": ("t", True, "f"),
    "char(3)": ("ab", "ab", "abc"),
    "varchar(5)": ("höé", "höé", "x"),
    "date": ("2024-08-09", date(2024, 8, 9), "0001-01-01"),
    "time": ("12:34:56.5", time(12, 34, 56, 500_000), "00:00:00"),
    "timestamp": (
        "2024-08-09 12:34:56.789",
        datetime(2024, 8, 9, 12, 34, 56, 789_000),
        "2024-08-09",
    ),
    "timestamptz": (
        "2024-08-09 12:34:56+02",
        datetime(2024, 8, 9, 10, 34, 56, tzinfo=UTC),
        "2024-08-09 00:00:00Z",
    ),
    "super": ('{"a": [1, "x"]}', '{"a":[1,"x"]}', "null"),
    "varbyte(4)": ("00ff", "00ff", "aa"),
}
KEYS = {"decimal(10,0)": ("7", Decimal(7)), "varchar(5)": ("ü", "ü"), "bigint": ("1", 1)}
LATE, FIRST, LATER = "20240808-1.csv", "20240809-1.csv", "20240810-1.csv"


AS_THEY_ARE = [name for name in TYPES if not ColumnType.parse(name).travels_as_text]


def made(pipeline: Pipeline, mode: Mode, key: str, types: Iterable[str]) -> Table:
    # Of partial rows these come whole.
    whole = ["super", "varbyte(4)"] if mode == "partial" else []
    taken = [type_ for type_ in types if type_ not in whole]
    columns = {"id": key} | {f"c{number}": type_ for number, type_ in enumerate(taken)}
    more: dict[str, Any] = {"write": mode, "key": ("id",)}
    if mode == "history":
        more |= {"changed_at": "at", "fields": ["at", *columns], "sequence": ["at"]}
    if mode == "append":
        more["key"] = ()
    if mode == "partial":
        more |= {"write": "upsert", "partial": True, "options": {"unsupplied": "?"}}
    return Table(pipeline, contract(columns, table=pipeline.new_name(), **more))


def line(table: Table, mode: Mode, day: int, values: list[str]) -> str:
    at = [f"2024-08-{day:02d}"] if mode == "history" else []
    operation = [] if mode == "replace" else ["U"]
    quoted = ['"' + value.replace('"', '""') + '"' for value in values]
    return ",".join([*operation, *at, *quoted]) + "\n"


@pytest.mark.parametrize("chosen", [TYPES, AS_THEY_ARE], ids=["all", "that need no cast"])
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("mode", COLUMNS)
def test_values_of_every_type_reach_the_target_in_every_write_mode(pipeline, mode, key, chosen):
    table = made(pipeline, mode, key, chosen)
    types = [str(column.type) for column in table.contract.columns[1:]]
    text, value = KEYS[key]
    late, first, later = (
        line(table, mode, day, [text, *(TYPES[type_][place] for type_ in types)]).encode()
        for day, place in ((8, 2), (9, 2), (10, 0))
    )
    table.load(table.plan(1, 1, [[table.land(FIRST, first)]]))
    table.load(table.plan(2, 2, [[table.land(LATER, later)]]))
    table.load(table.plan(3, 3, [[table.land(LATE, late)]]))
    columns = [column.name for column in table.contract.columns]
    rows = table.rows(*columns)
    newest = [row for row in rows if row[4] == TYPES["decimal(9,2)"][1]]
    assert newest == [(value, *(TYPES[type_][1] for type_ in types))]
    assert len(rows) == {"append": 3, "history": 2}.get(mode, 1)
