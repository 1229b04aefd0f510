"""The places of the files in `sql/`, filled from a contract: `{target}` is the same in all.

What is quoted and listed here is all that a contract contributes to a statement; the shape of each
is in its file.
"""

from dataclasses import dataclass

from tidegate.contract import Column, Contract
from tidegate.contract.names import TIDEGATE_SCHEMA, control_table, literal, quote
from tidegate.position import LONGEST_POSITION
from tidegate.sql_files import lines

STATEMENT_TIMEOUT = 55 * 60_000  # milliseconds; the Glue job itself has 60 minutes
# What travels as text is cast on its way out of the stage:
# https://docs.aws.amazon.com/redshift/latest/dg/JSON_PARSE.html and r_FROM_HEX.html
_FROM_TEXT = {"super": "json_parse({0})", "varbyte": "from_hex({0})"}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the statements of one attempt at a batch need to know; addresses are s3:// URLs."""

    batch: int
    fence: int
    copy_role: str
    manifest: str
    chunks: list[str]
    outcome: str


def is_staged_ready(contract: Contract, attempt: Attempt) -> bool:
    """Whether what COPY loads can be merged as it is."""
    # prepare_chunk keeps the newest change of each key, so only several chunks can hold several.
    cast = any(column.type.travels_as_text for column in contract.columns)
    return len(attempt.chunks) == 1 and not cast


def places(contract: Contract, attempt: Attempt) -> dict[str, str]:
    """What stands in each place, for one attempt at a batch of the contract's table."""
    stage = quote("tidegate_stage")
    changes = stage if is_staged_ready(contract, attempt) else quote("tidegate_changes")
    tables = {**_tables(contract), "stage": stage, "changes": changes}
    return (
        tables
        | _columns(contract, tables)
        | {
            "batch": str(attempt.batch),
            "fence": str(attempt.fence),
            "copy_role": _role(attempt.copy_role),
            "manifest": literal(attempt.manifest),
            "label": literal(f"tidegate {contract.table} {attempt.batch}"),
            "milliseconds": str(STATEMENT_TIMEOUT),
            "position_bytes": str(LONGEST_POSITION),
        }
    )


def _role(role: str) -> str:
    return role if role == "default" else literal(role)


def _tables(contract: Contract) -> dict[str, str]:
    schema, table = contract.schema_name, contract.table_name
    batches = control_table(schema, table, "batches")
    tombstones = control_table(schema, table, "tombstones")
    control = quote(TIDEGATE_SCHEMA)
    return {
        "target": f"{quote(schema)}.{quote(table)}",
        "target_schema": quote(schema),
        "control_schema": control,
        "batches": f"{control}.{quote(batches)}",
        "tombstones": f"{control}.{quote(tombstones)}",
        "schema_name": literal(schema),
        "table_name": literal(table),
        "control_schema_name": literal(TIDEGATE_SCHEMA),
        "batches_name": literal(batches),
        "tombstones_name": literal(tombstones),
        "target_distribution": _distribution(contract.distkey),
        "target_sorting": _sorting(contract.sortkey),
        "key_distkey": _key_distkey(contract),
    }


def _distribution(distkey: str | None) -> str:
    return f"distkey ({quote(distkey)})" if distkey else "diststyle auto"


def _sorting(sortkey: list[str] | None) -> str:
    return f"sortkey ({', '.join(map(quote, sortkey))})" if sortkey else "sortkey auto"


def _key_distkey(contract: Contract) -> str:
    # Stage and tombstones lie where the target's rows of the same keys lie: joins stay on a node.
    distkey = contract.distkey
    return quote(distkey) if distkey and distkey in contract.key else quote(contract.key[0])


def _columns(contract: Contract, tables: dict[str, str]) -> dict[str, str]:
    names = [quote(column.name) for column in contract.columns]
    key = [quote(name) for name in contract.key]
    changes = tables["changes"]
    by_name = {column.name: column for column in contract.columns}
    return {
        "columns": lines(names),
        "columns_in_rank": lines(names, indent=8),
        "columns_from_stage": lines([_from_stage(column) for column in contract.columns]),
        "columns_of_changes": lines([f"{changes}.{name}" for name in names]),
        "assignments": lines(_assignments(names, key, changes)),
        "key": ", ".join(key),
        "key_columns": lines(key),
        "first_key": key[0],
        "declared_columns": lines([_declared(column, contract) for column in contract.columns]),
        "declared_key": lines([_declared(by_name[name], contract) for name in contract.key]),
        "declared_stage": lines(
            [f"{quote(column.name)} {column.type.stage_ddl}" for column in contract.columns]
        ),
        "same_key_as_target": _same_key(key, tables["target"], changes),
        "same_key_as_tombstones": _same_key(key, tables["tombstones"], changes),
    }


def _assignments(names: list[str], key: list[str], changes: str) -> list[str]:
    kept = [name for name in names if name not in key] + [quote("_position")]
    return [f"{name} = {changes}.{name}" for name in kept]


def _same_key(key: list[str], table: str, changes: str) -> str:
    return "\n    and ".join(f"{table}.{name} = {changes}.{name}" for name in key)


def _declared(column: Column, contract: Contract) -> str:
    null = " not null" if column.name in contract.key else ""
    return f"{quote(column.name)} {column.type.ddl}{null}"


def _from_stage(column: Column) -> str:
    name, type_ = quote(column.name), column.type
    if not type_.travels_as_text:
        return name
    cast = _FROM_TEXT.get(type_.name, f"{{0}}::{type_.ddl}")
    return f"{cast.format(name)} as {name}"
