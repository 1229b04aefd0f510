"""Fills the placeholders of the SQL files with identifiers and column lists from a contract.

Example: `{target}` becomes `"sales"."orders"` in every file. The shape of a statement is only in
its file.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from tidegate.column_types import ColumnType
from tidegate.contract import Column, Contract
from tidegate.contract.metadata_columns import columns_of_changes, columns_of_target
from tidegate.contract.names import (
    CONTROL_TABLES,
    TIDEGATE_SCHEMA,
    control_table,
    literal,
    quote,
)
from tidegate.contract.widening import arriving
from tidegate.contract.writing import control_tables, keeps_newest
from tidegate.planning.carried import carried_placeholders
from tidegate.position import LONGEST_POSITION
from tidegate.sql_files import lines

STATEMENT_TIMEOUT = 55 * 60_000  # milliseconds; the Glue job itself has 60 minutes
_EVEN = "diststyle even"
# Columns that travel as text are cast between staging and target:
# https://docs.aws.amazon.com/redshift/latest/dg/JSON_PARSE.html and r_FROM_HEX.html
_FROM_TEXT = {"super": "json_parse({0})", "varbyte": "from_hex({0})"}


@dataclass(frozen=True, slots=True)
class Attempt:
    """The facts about one attempt at a batch that its statements need; addresses are s3:// URLs.

    `refreshes` is true for a full refresh: it replaces all rows by a snapshot taken at `taken_at`,
    in seconds since 1970. `force` switches off the limits on removed rows.
    """

    batch: int
    fence: int
    copy_role: str
    manifest: str
    chunks: list[str]
    outcome: str
    epoch: int = 1
    refreshes: bool = False
    taken_at: int = 0
    force: bool = False


def can_merge_stage(contract: Contract, attempt: Attempt) -> bool:
    """Tell whether the staging table can be merged as COPY loads it."""
    # prepare_chunk drops superseded changes within a chunk; only several chunks can hold some.
    # A wider decimal fits into its column as it is. Keys are cast, because rows are joined by them.
    cast = any(
        column.type.travels_as_text or (column.name in contract.key and _is_cast(column.type))
        for column in contract.columns
    )
    return len(attempt.chunks) == 1 and not cast


def placeholders(contract: Contract, attempt: Attempt) -> dict[str, str]:
    """Return the text of every placeholder, for one attempt at a batch of the contract's table."""
    tables = _tables(contract, is_ready=can_merge_stage(contract, attempt))
    return (
        tables
        | _columns(contract, tables)
        | _keys(contract, tables)
        | carried_placeholders(contract)
        | {
            "batch": str(attempt.batch),
            "fence": str(attempt.fence),
            "copy_role": _role(attempt.copy_role),
            "manifest": literal(attempt.manifest),
            "label": literal(f"tidegate {contract.table} {attempt.batch}"),
            "milliseconds": str(STATEMENT_TIMEOUT),
            "position_bytes": str(LONGEST_POSITION),
            # It sorts below every position of this epoch, and above those of all earlier ones.
            "begin_of_epoch": literal(f"{attempt.epoch:06d}"),
            "taken_at": literal(
                str(datetime.fromtimestamp(attempt.taken_at, UTC).replace(tzinfo=None))
            ),
        }
    )


def _role(role: str) -> str:
    return role if role == "default" else literal(role)


def _tables(contract: Contract, *, is_ready: bool) -> dict[str, str]:
    schema, table = contract.schema_name, contract.table_name
    control = quote(TIDEGATE_SCHEMA)
    kept = {kind: control_table(schema, table, kind) for kind in CONTROL_TABLES}
    stage = quote("tidegate_stage")
    arrived = stage if is_ready else quote("tidegate_arrived")
    return {
        "target": f"{quote(schema)}.{quote(table)}",
        "target_schema": quote(schema),
        "control_schema": control,
        **{kind: f"{control}.{quote(name)}" for kind, name in kept.items()},
        "schema_name": literal(schema),
        "table_name": literal(table),
        "control_schema_name": literal(TIDEGATE_SCHEMA),
        "control_names": ", ".join(literal(kept[kind]) for kind in control_tables(contract)),
        "stage": stage,
        "arrived": arrived,
        # Partial rows are completed before the merge; whole rows are merged as they come.
        "changes": quote("tidegate_rows") if contract.partial else arrived,
        "versions": quote("tidegate_versions"),
        "superseded": quote("tidegate_superseded"),
        "target_distribution": _distribution(contract.distkey),
        "target_sorting": _sorting(contract.sortkey),
        "key_distkey": _key_distkey(contract),
        "stage_distribution": f"distkey ({_key_distkey(contract)})" if contract.key else _EVEN,
    }


def _distribution(distkey: str | None) -> str:
    return f"distkey ({quote(distkey)})" if distkey else "diststyle auto"


def _sorting(sortkey: list[str] | None) -> str:
    return f"sortkey ({', '.join(map(quote, sortkey))})" if sortkey else "sortkey auto"


def _key_distkey(contract: Contract) -> str:
    # Staging and control tables share a distribution key, and the target has it too if it is
    # distributed by its key. So joins stay on a node.
    distkey = contract.distkey
    of_key = [distkey] if distkey in contract.key else contract.key[:1]
    return "".join(quote(name) for name in of_key if name)


def _columns(contract: Contract, tables: dict[str, str]) -> dict[str, str]:
    names = [quote(column.name) for column in contract.columns]
    changes, log = tables["changes"], tables["change_log"]
    of_changes = columns_of_changes(contract)
    metadata = [quote(name) for name in of_changes]
    staged = {column.name: column.type.stage_ddl for column in arriving(contract)}
    staged |= {name: type_.ddl for name, type_ in of_changes.items()}
    return {
        "columns": lines(names),
        "columns_in_rank": lines(names, indent=8),
        "columns_from_stage": lines([_from_stage(column) for column in contract.columns]),
        "columns_of_changes": lines([f"{changes}.{name}" for name in names]),
        "columns_of_change_log": lines([f"{log}.{name}" for name in names]),
        "columns_of_change_log_in_known": lines([f"{log}.{name}" for name in names], indent=8),
        "metadata": lines(metadata),
        "metadata_in_rank": lines(metadata, indent=8),
        "assignments": lines(_assignments(contract, changes)),
        "declared_columns": lines([_declared(column, contract) for column in contract.columns]),
        "declared_logged": lines(
            [f"{quote(column.name)} {column.type.ddl}" for column in contract.columns]
        ),
        "declared_metadata": _declarations(columns_of_target(contract)),
        "declared_changes": _declarations(of_changes),
        "declared_stage": lines([f"{quote(name)} {ddl}" for name, ddl in staged.items()]),
    }


def _keys(contract: Contract, tables: dict[str, str]) -> dict[str, str]:
    key = [quote(name) for name in contract.key]
    by_name = {column.name: column for column in contract.columns}
    target, log, arrived = tables["target"], tables["change_log"], tables["arrived"]
    truncations, position = tables["truncations"], quote("_position")
    of_log = [f"{log}.{name}" for name in key]
    of_truncation = [position, *([quote("_changed_at")] if contract.write == "history" else [])]
    return {
        "key": ", ".join(key),
        "key_columns": lines(key),
        "key_columns_in_rank": lines(key, indent=8),
        "first_key": "".join(key[:1]),
        "identity": ", ".join([*key, *_identity_beside_key(contract)]),
        "declared_key": lines([_declared(by_name[name], contract) for name in contract.key]),
        "key_of_change_log": lines(of_log, indent=8),
        "key_of_change_log_in_line": ", ".join(of_log),
        "keys_of_arrived": lines([f"{arrived}.{name}" for name in key], indent=8),
        "metadata_of_truncation": lines(of_truncation),
        "metadata_from_truncations": lines(
            [f"{truncations}.{name}" for name in of_truncation], indent=8
        ),
        "time_of_truncation": f"{arrived}.{of_truncation[1]}" if of_truncation[1:] else "null",
        "keys_of_target": lines([f"{target}.{name}" for name in key]),
        "same_key_as_arrived": _same(key, arrived, target),
        "first_key_arrived": f"{arrived}.{key[0]}" if key else "",
        "same_key_as_target": _same(key, target, tables["changes"]),
        "same_key_as_tombstones": _same(key, tables["tombstones"], tables["changes"]),
        "same_key_as_deleted": _same(key, target, tables["tombstones"]),
        "same_key_as_change_log": _same(key, log, arrived),
        "same_key_as_touched": _same(key, log, "touched", indent=8),
        "same_version": _same([*key, position], log, tables["versions"]),
        "same_key_as_superseded": _same(key, log, tables["superseded"]),
        "target_is_touched": _same(key, target, "touched"),
        "target_is_living": _same(key, target, "living"),
    }


def _identity_beside_key(contract: Contract) -> list[str]:
    """Return what must differ, beside the key, so that two changes both count."""
    if not keeps_newest(contract):
        return [quote("_position")]
    return [f"{quote('_op')} = 'D'"] if contract.write == "soft_delete" else []


def _same(names: list[str], one: str, other: str, indent: int = 4) -> str:
    return f"\n{' ' * indent}and ".join(f"{one}.{name} = {other}.{name}" for name in names)


def _declarations(types: dict[str, ColumnType]) -> str:
    return lines([f"{quote(name)} {type_.ddl}" for name, type_ in types.items()])


def _assignments(contract: Contract, changes: str) -> list[str]:
    names = [column.name for column in contract.columns if column.name not in contract.key]
    assigned = [f"{name} = {changes}.{name}" for name in map(quote, [*names, "_position"])]
    revived = contract.write == "soft_delete"
    return [*assigned, f"{quote('_deleted_at')} = null::timestamp"] if revived else assigned


def _declared(column: Column, contract: Contract) -> str:
    null = " not null" if column.name in contract.key else ""
    return f"{quote(column.name)} {column.type.ddl}{null}"


def _from_stage(column: Column) -> str:
    name, type_ = quote(column.name), column.type
    if not _is_cast(type_):
        return name
    cast = _FROM_TEXT.get(type_.name, f"{{0}}::{type_.ddl}")
    return f"{cast.format(name)} as {name}"


def _is_cast(type_: ColumnType) -> bool:
    return type_.stage_ddl != type_.ddl
