"""The SQL of a plan, as exact text: `rendered/<name>.sql` holds what Redshift is given.

After a wanted change `python -m tests.unit.test_rendered_sql` writes them anew; read the diff.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from tests.unit.samples import contract
from tidegate.batch.plan import Load, Statement
from tidegate.contract import Contract
from tidegate.planning.placeholders import Attempt
from tidegate.planning.statements import render_load

RENDERED = Path(__file__).parent / "rendered"
EVERY_TYPE = {
    "order id": "bigint", 'li"ne': "smallint", "a": "integer", "b": "decimal(12,2)", "c": "real",
    "d": "double", "e": "boolean", "f": "char(3)", "g": "varchar(256)", "h": "date", "i": "time",
    "j": "timestamp", "k": "timestamptz", "l": "super", "m": "varbyte", "select": "varbyte(16)",
    "per%cent {x}; --": "varchar(9)",
}  # fmt: skip
EVERYTHING = contract(
    EVERY_TYPE,
    table='odd "schema".it\'s a table',
    key=("order id", 'li"ne'),
    distkey='li"ne',
    sortkey=["h", "order id"],
)
PLAIN = contract({"id": "integer", "name": "varchar(20)"})
TRUNCATING = {"I": "insert", "U": "update", "D": "delete", "T": "truncate"}
SOFT = contract(
    {"id": "integer", "name": "varchar(20)"}, write="soft_delete", operations=TRUNCATING
)
HISTORY = contract(
    {"id": "integer", "region": "char(2)", "name": "varchar(20)"},
    key=("id", "region"),
    write="history",
    changed_at="name",
    operations=TRUNCATING,
)
APPEND = contract({"id": "integer", "name": "varchar(20)"}, key=(), write="append")
REPLACE = contract({"id": "integer", "name": "varchar(20)"}, write="replace")
PARTIAL = contract({"id": "integer", "name": "varchar(20)"}, partial=True, operations=TRUNCATING)
EVOLVING = contract({"id": "varchar(9)", "name": "varchar(20)"}, evolve="add")
ROLE = "arn:aws:iam::123456789012:role/tidegate-copy"
NUMBERS = {"batch": 1723231637787, "fence": 1723231637999}


def load(of: Contract, copy_role: str, chunks: int = 2) -> Load:
    attempt = Attempt(
        **NUMBERS,
        copy_role=copy_role,
        manifest="s3://work/a/manifest.json",
        chunks=[f"s3://work/a/chunk-{number:04d}.json" for number in range(chunks)],
        outcome="",
    )
    return render_load(of, attempt)


def script(found: Load) -> str:
    """All statements by the part of the plan they stand in, in the plan's order."""
    parts = []
    for name, value in found:
        statements = [value] if isinstance(value, Statement) else value
        if isinstance(statements, list) and statements and isinstance(statements[0], Statement):
            parts += [f"-- {name}: {one.name}\n{one.sql};\n" for one in statements]
    added = [column for column in found.columns if column.add]
    adds = [f"-- columns: {column.name}\n{column.add};\n" for column in added]
    # The job writes the length that it needs behind it.
    widen = [f"-- widen: {one.name}\n{one.widen}(…);\n" for one in found.columns if one.widen]
    return "\n".join(parts + adds + widen)


CASES = {
    "everything": load(EVERYTHING, ROLE),
    "plain": load(PLAIN, "default"),
    "single_chunk": load(PLAIN, "default", chunks=1),
    "soft_delete": load(SOFT, "default", chunks=1),
    "history": load(HISTORY, "default"),
    "append": load(APPEND, "default"),
    "replace": load(REPLACE, "default", chunks=1),
    "partial": load(PARTIAL, "default", chunks=1),
    "evolving": load(EVOLVING, "default"),
}


@pytest.mark.parametrize("name", CASES)
def test_rendered_sql_is_as_written_down(name):
    assert script(CASES[name]) == (RENDERED / f"{name}.sql").read_text(encoding="utf-8")


def test_late_batches_take_the_checks_that_others_skip():
    found = CASES["plain"]
    late, above, empty = (
        [statement.name for statement in statements]
        for statements in (found.merge_late, found.merge_above_watermark, found.merge_empty)
    )
    assert late == [late[0], "drop_stale_rows", "drop_deleted_rows", *above[1:]]
    assert above == [
        "keep_newest",
        "count_updates",
        "delete_rows",
        "clear_tombstones",
        "write_tombstones",
        "drop_deletes",
        "merge_rows",
    ]
    assert empty == ["keep_newest", "clear_tombstones", "write_tombstones", "insert_rows"]


@pytest.mark.parametrize("name", CASES)
def test_pain_23_tables_are_joined_by_equal_columns_which_takes_no_nested_loop(name):
    found = CASES[name]
    for statement in [*found.merge_empty, *found.merge_above_watermark, *found.merge_late]:
        for condition in joins(sqlglot.parse_one(statement.sql, dialect="redshift")):
            # What a truncation ends has no key in common with it; few sources write any.
            assert has_equal_columns(condition) or '__truncations"' in condition.sql()


def joins(statement: exp.Expr) -> Iterator[exp.Expr]:
    """The conditions by which a statement joins tables."""
    for node in statement.find_all(exp.Join, exp.Merge):
        yield node.args["on"]
    deletes = isinstance(statement, exp.Delete) and statement.args.get("using")
    updates = isinstance(statement, exp.Update) and statement.args.get("from_")
    if deletes or updates:
        yield statement.args["where"].this


def has_equal_columns(condition: exp.Expr) -> bool:
    conjuncts = condition.flatten() if isinstance(condition, exp.And) else [condition]
    equals = [(one.this, one.expression) for one in conjuncts if isinstance(one, exp.EQ)]
    return any(
        isinstance(one, exp.Column) and isinstance(other, exp.Column) and one.table != other.table
        for one, other in equals
    )


def test_a_single_chunk_holds_the_newest_changes_already_and_is_merged_from_the_stage():
    names = [statement.name for statement in CASES["single_chunk"].merge_above_watermark]
    assert "keep_newest" not in names
    assert 'using "tidegate_stage"' in CASES["single_chunk"].merge_above_watermark[-1].sql


def test_values_that_travel_as_text_are_cast_on_the_way_out_of_the_stage_of_a_single_chunk_too():
    found = load(EVERYTHING, ROLE, chunks=1)
    assert found.merge_late[0].name == "keep_newest"


def test_columns_are_described_as_the_catalogue_shows_them():
    found = {column.name: column for column in CASES["everything"].columns}
    facts = {
        name: (c.data_type, c.character_maximum_length, c.numeric_precision, c.numeric_scale)
        for name, c in found.items()
    }
    assert facts["b"] == ("numeric", None, 12, 2)
    assert facts["g"] == ("character varying", 256, None, None)
    assert facts["_position"] == ("character varying", 512, None, None)
    assert list(found)[-3:] == ["_position", "_batch", "_applied_at"]


def test_plan_holds_no_password():
    assert "password" not in str(CASES).lower()


if __name__ == "__main__":
    for name, found in CASES.items():
        (RENDERED / f"{name}.sql").write_text(script(found), encoding="utf-8")
