"""The SQL that the Glue job submits for one batch, rendered from a contract into a plan."""

from tidegate.contract import Contract
from tidegate.contract.names import quote
from tidegate.contract.types import ColumnType
from tidegate.planning.merging import merge_of
from tidegate.planning.places import Attempt, places
from tidegate.planning.plan import Load, Statement, TargetColumn
from tidegate.position import LONGEST_POSITION
from tidegate.sql_files import render

_CREATE = (
    "control/create_target_schema",
    "control/create_target",
    "control/create_control_schema",
    "control/create_tombstones",
    "control/create_batches",
)
_OWN_COLUMNS = {
    "_position": ColumnType("varchar", length=LONGEST_POSITION),
    "_batch": ColumnType("bigint"),
    "_applied_at": ColumnType("timestamp"),
}


def render_load(contract: Contract, attempt: Attempt) -> Load:
    """All statements of the job, in the order in which `glue_jobs/load_batch.py` submits them."""
    filled = places(contract, attempt)
    merge = merge_of(contract, attempt)

    def statement(operation: str) -> Statement:
        return Statement(name=operation.rpartition("/")[2], sql=render(operation, **filled))

    def statements(operations: tuple[str, ...]) -> list[Statement]:
        return [statement(operation) for operation in operations]

    return Load(
        session=statements(("control/set_query_group", "control/set_statement_timeout")),
        describe=statement("control/describe_target"),
        create=statements(_CREATE),
        columns=_target_columns(contract, filled["target"]),
        create_stage=statement("stage/create_stage"),
        copy_stage=statement("stage/copy_stage"),
        count_staged=statement("stage/count_staged"),
        lock=statement("control/lock_batches"),
        read_progress=statement("control/read_progress"),
        merge_empty=statements(merge.empty),
        merge_above_watermark=statements(merge.above_watermark),
        merge_late=statements(merge.late),
        write_batch=statement("control/write_batch"),
        manifest=attempt.manifest,
        chunks=attempt.chunks,
        outcome=attempt.outcome,
    )


def _target_columns(contract: Contract, target: str) -> list[TargetColumn]:
    types = {column.name: column.type for column in contract.columns} | _OWN_COLUMNS
    return [_target_column(name, type_, target) for name, type_ in types.items()]


def _target_column(name: str, type_: ColumnType, target: str) -> TargetColumn:
    data_type, length, precision, scale = type_.catalogue
    return TargetColumn(
        name=name,
        data_type=data_type,
        character_maximum_length=length,
        numeric_precision=precision,
        numeric_scale=scale,
        add=render("control/add_column", target=target, column=quote(name), type=type_.ddl),
    )
