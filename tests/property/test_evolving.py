"""Schema drift: for any columns and text lengths in files, the table matches the model.

TIDEGATE_EXAMPLES=2000 pytest tests/property/test_evolving.py tries more, new examples each time.
"""

import json
import os
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.property.modes import Format, as_parquet
from tests.property.test_schema_changes import Growing, lines

EXAMPLES = os.environ.get("TIDEGATE_EXAMPLES")
LOOKING = settings(
    max_examples=int(EXAMPLES or 40),
    derandomize=not EXAMPLES,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
FORMATS: st.SearchStrategy[Format] = st.sampled_from(["dms_csv", "jsonl", "parquet"])
LASTING = pytest.mark.timeout(0 if EXAMPLES else 900)
OPTIONS = {"header": True, "null": ""}
COLUMNS = {"id": "integer", "name": "varchar(2)"}
FIELDS = ["name", "Extra", "note"]
TEXTS = st.sampled_from(["", "a", "bc", "größer", "x" * 40, "€" * 100])


@dataclass(frozen=True)
class File:
    """A file with some of the fields, in some order; of each change its number, key and texts."""

    fields: tuple[str, ...]
    changes: tuple[tuple[str, int, int, dict[str, str]], ...]

    def content(self, written_as: Format) -> bytes:
        types = dict.fromkeys(["Op", "seq", "id", *self.fields], "varchar")
        records = [
            {"Op": operation, "seq": str(seq), "id": str(key)}
            | {name: texts[name] or None for name in self.fields}
            for operation, seq, key, texts in self.changes
        ]
        if written_as == "parquet":
            return as_parquet(types, records)
        if written_as == "jsonl":
            return "".join(json.dumps(record) + "\n" for record in records).encode()
        texts = (",".join(text or "" for text in record.values()) for record in records)
        return lines(",".join(types), *texts).encode()


@st.composite
def histories(draw: st.DrawFn) -> list[list[tuple[str, File]]]:
    """Batches of named files, some of which come again."""
    files = {}
    numbers = iter(draw(st.permutations(range(10, 40))))
    for day in range(draw(st.integers(1, 4))):
        fields = draw(st.lists(st.sampled_from(FIELDS), unique=True))
        change = st.tuples(
            st.sampled_from("IUUD"),
            st.builds(lambda: next(numbers)),
            st.integers(1, 2),
            st.fixed_dictionaries(dict.fromkeys(FIELDS, TEXTS)),
        )
        changes = draw(st.lists(change, max_size=3))
        files[f"2024080{day + 1}-1.csv"] = File(tuple(fields), tuple(changes))
    order = draw(st.permutations([*files, *draw(st.lists(st.sampled_from([*files]), max_size=2))]))
    cuts = [draw(st.booleans()) for _ in order]
    batches: list[list[tuple[str, File]]] = [[]]
    for name, cut in zip(order, cuts, strict=True):
        if cut and batches[-1]:
            batches.append([])
        batches[-1].append((name, files[name]))
    return batches


def model(files: list[File], *, partial: bool) -> list[tuple[Any, ...]]:
    """The rows after all changes, taken in the order of their numbers."""
    rows: dict[int, dict[str, str | None]] = {}
    changes = [
        (seq, op, key, texts, file) for file in files for op, seq, key, texts in file.changes
    ]
    for _, operation, key, texts, file in sorted(changes, key=lambda change: change[0]):
        row = rows.pop(key, {})
        carried = {name: texts[name] or None for name in file.fields}
        if operation != "D":
            rows[key] = (row if partial else {}) | carried
    return sorted((key, *(row.get(name) for name in FIELDS)) for key, row in rows.items())


@LASTING
@pytest.mark.parametrize("partial", [False, True], ids=["upsert", "partial"])
@LOOKING
@given(batches=histories(), written_as=FORMATS)
def test_table_follows_files_of_any_columns_in_any_order_and_batches(
    pipeline, partial, batches, written_as
):
    pipeline.forget()
    growing = Growing(
        pipeline,
        columns=COLUMNS,
        options=OPTIONS if written_as == "dms_csv" else {},
        sequence=["seq"],
        partial=partial,
        written_as=written_as,
    )
    for batch in batches:
        prepared = growing.take({name: file.content(written_as) for name, file in batch})
        assert [(file.quarantined, file.refused) for file in prepared.files] == [
            (None, 0) for _ in prepared.files
        ]
    landed = dict(file for batch in batches for file in batch)
    # What has no objects names no fields.
    naming = [file for file in landed.values() if file.changes or written_as != "jsonl"]
    seen = {"id", "name", *(field.lower() for file in naming for field in file.fields)}
    named = [field for field in FIELDS if field.lower() in seen]
    places = [0, *(1 + FIELDS.index(field) for field in named)]
    expected = [
        tuple(row[place] for place in places) for row in model([*landed.values()], partial=partial)
    ]
    found = growing.table.rows("id", *(field.lower() for field in named))
    assert sorted(found) == sorted(expected)
