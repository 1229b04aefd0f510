"""Renders the SQL that the Glue job submits for one batch, from a contract into a plan."""

from collections.abc import Iterable

from tidegate.batch.plan import Load, Statement, TargetColumn
from tidegate.column_types import ColumnType
from tidegate.contract import Contract
from tidegate.contract.metadata_columns import columns_of_changes, columns_of_target
from tidegate.contract.names import TIDEGATE_SCHEMA, control_table, quote
from tidegate.contract.widening import is_growing
from tidegate.contract.writing import control_tables, keeps_all
from tidegate.planning.guards import max_deletes, refresh_floor
from tidegate.planning.merging import COUNTS, merge_of, refresh_of
from tidegate.planning.placeholders import Attempt, placeholders
from tidegate.sql_files import render

# sysdate is in the time zone of the session, and the user may have a default other than UTC:
# https://docs.aws.amazon.com/redshift/latest/dg/r_SYSDATE.html
_SESSION = ("set_query_group", "set_statement_timeout", "set_timezone")


def render_load(contract: Contract, attempt: Attempt) -> Load:
    """Render all statements of the job, in the order in which the job submits them."""
    filled = placeholders(contract, attempt)
    merge = merge_of(contract, attempt)
    kept = control_tables(contract)
    is_whole = attempt.refreshes or contract.write == "replace"
    create = ["create_control_schema", *(f"create_{kind}" for kind in kept)]

    def statement(operation: str) -> Statement:
        name = operation.rpartition("/")[2]
        return Statement(name=name, sql=render(operation, **filled), counts=COUNTS.get(name))

    def statements(folder: str, names: Iterable[str]) -> list[Statement]:
        return [statement(f"{folder}/{name}") for name in names]

    return Load(
        session=statements("control", (*_SESSION, *_of_super(contract))),
        tables=[contract.table_name, *kept],
        describe=statement("control/describe_target"),
        count_batches=None if is_whole else statement("control/count_batches"),
        create_target=statements("control", ("create_target_schema", "create_target")),
        create=statements("control", create),
        columns=_columns(contract),
        create_stage=statement("stage/create_stage"),
        copy_stage=statement("stage/copy_stage"),
        count_staged=statement("stage/count_staged"),
        lock=statement("control/lock_batches"),
        read_progress=statement("control/read_progress"),
        merge_empty=statements("merge", merge.empty),
        merge_above_watermark=statements("merge", merge.above_watermark),
        merge_late=statements("merge", merge.late),
        refresh=statements("merge", refresh_of(contract, attempt) if attempt.refreshes else ()),
        refresh_floor=refresh_floor(contract, attempt, statement),
        max_deletes=max_deletes(contract, attempt, statement),
        write_batch=statement("control/write_batch"),
        manifest=attempt.manifest,
        chunks=attempt.chunks,
        outcome=attempt.outcome,
    )


def _of_super(contract: Contract) -> tuple[str, ...]:
    # JSON may name an attribute twice. By default JSON_PARSE then refuses the whole batch:
    # https://docs.aws.amazon.com/redshift/latest/dg/super-configurations.html
    parses = any(column.type.name == "super" for column in contract.columns)
    return ("keep_last_attribute",) if parses else ()


def _columns(contract: Contract) -> list[TargetColumn]:
    """Return the columns of the target, and of the control tables that share some of them."""
    schema, name = contract.schema_name, contract.table_name
    declared = {column.name: column.type for column in contract.columns}
    beside = {
        "change_log": declared | columns_of_changes(contract),
        "tombstones": {name: declared[name] for name in contract.key},
    }
    tables = {(schema, name): declared | columns_of_target(contract)} | {
        (TIDEGATE_SCHEMA, control_table(schema, name, kind)): beside[kind]
        for kind in control_tables(contract)
        if kind in beside
    }
    alterable = {column.name: column.type for column in contract.columns if column.widen}
    grow = {"_carried", *(name for name, type_ in alterable.items() if is_growing(type_, contract))}
    return [
        _column(table, name, type_, _added(table, name, type_, contract), grows=name in grow)
        for table, columns in tables.items()
        for name, type_ in columns.items()
    ]


def _added(table: tuple[str, str], name: str, type_: ColumnType, contract: Contract) -> str | None:
    """Return how to declare an added column; None if existing rows need a value in it."""
    if name != "_position" or table[0] == TIDEGATE_SCHEMA:
        return type_.ddl
    # Tidegate treats rows that were already in the table as older than any change. Modes that build
    # rows from kept changes cannot have such rows.
    return None if keeps_all(contract) else f"{type_.ddl} default ''"


def _column(
    table: tuple[str, str], name: str, type_: ColumnType, added: str | None, *, grows: bool
) -> TargetColumn:
    data_type, length, precision, scale = type_.catalogue
    placeholders = {"table": ".".join(map(quote, table)), "column": quote(name)}
    return TargetColumn(
        table=table,
        name=name,
        data_type=data_type,
        character_maximum_length=length,
        numeric_precision=precision,
        numeric_scale=scale,
        add=render("control/add_column", type=added, **placeholders) if added else None,
        widen=render("control/widen_column", **placeholders) if grows else None,
    )
