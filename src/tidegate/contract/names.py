"""Names of schemas, tables and columns: quotes them, and refuses what Redshift cannot hold."""

from collections.abc import Collection
from typing import Annotated

from pydantic import AfterValidator, StrictStr

LONGEST_NAME = 127
_SHOWN = 20  # names in a message; the cause of a failed execution has room for some hundreds

# Redshift's system columns cannot be column names of a user's table:
# https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
SYSTEM_COLUMNS = frozenset(
    {"oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "deletexid", "insertxid"}
)
TIDEGATE_COLUMNS = frozenset(
    {"_op", "_position", "_batch", "_applied_at", "_rank", "_deleted_at"}
    | {"_changed_at", "_digest", "_carried", "_version"}
)
TIDEGATE_SCHEMA = "tidegate"
CONTROL_TABLES = ("batches", "tombstones", "change_log", "truncations")


def quote(name: str) -> str:
    """Return `name` as a quoted identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return `text` as a string literal of SQL, for the few statements that can bind no value.

    Backslashes are doubled, because Redshift reads one in a literal as an escape.
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def name_some(names: Collection[str]) -> str:
    """Return the first of the sorted `names`, and the number of the others, for a message."""
    shown = sorted(names)[:_SHOWN]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return (", ".join(shown) or "none") + more


def valid_name(name: str) -> str:
    """Return `name` if Redshift stores it exactly as it is written.

    Raises:
        ValueError: Redshift would change, cut or refuse the name. The message says what to write.
    """
    if not name:
        raise ValueError("a name cannot be empty")
    if any(ord(character) < 32 or ord(character) == 127 for character in name):
        raise ValueError(f"{name!r} holds a control character; remove it")
    if name != name.strip():
        raise ValueError(f"{name!r} begins or ends with a blank; remove it")
    if "." in name:
        raise ValueError(f"{name!r} holds a dot, which separates schema and table; remove it")
    if len(name.encode()) > LONGEST_NAME:
        raise ValueError(f"{name!r} is longer than Redshift's {LONGEST_NAME} bytes; shorten it")
    # https://docs.aws.amazon.com/redshift/latest/dg/r_names.html: folded even when quoted
    if name != name.lower():
        raise ValueError(f"Redshift folds {name!r} to lower case; write {name.lower()!r}")
    return name


def valid_column_name(name: str) -> str:
    """Return `name` if a target column can have it.

    Raises:
        ValueError: as `valid_name`; also if Redshift or Tidegate uses the name for its own column.
    """
    if valid_name(name) in SYSTEM_COLUMNS:
        raise ValueError(f"{name!r} is a system column of Redshift; choose another name")
    if name in TIDEGATE_COLUMNS:
        raise ValueError(f"{name!r} is a metadata column of Tidegate; choose another name")
    return name


def valid_table_name(name: str) -> str:
    """Return `name` if it is `schema.table`, and Redshift can hold it and its control tables.

    Raises:
        ValueError: the message says which part Redshift cannot hold, and why.
    """
    schema, dot, table = name.partition(".")
    if not dot:
        raise ValueError(f"{name!r} must be written schema.table")
    valid_name(schema)
    valid_name(table)
    if schema in {TIDEGATE_SCHEMA, "information_schema"} or schema.startswith("pg_"):
        raise ValueError(f"schema {schema!r} is reserved; choose another one")
    longest = control_table(schema, table, max(CONTROL_TABLES, key=len))
    if len(longest.encode()) > LONGEST_NAME:
        raise ValueError(
            f"{name!r} is too long: its control table {longest!r} would have more than "
            f"{LONGEST_NAME} bytes; shorten schema or table"
        )
    return name


def control_table(schema: str, table: str, kind: str) -> str:
    """Return the name of a target's control table of one `kind`, such as batches."""
    return f"{schema}__{table}__{kind}"


ColumnName = Annotated[StrictStr, AfterValidator(valid_column_name)]
TableName = Annotated[StrictStr, AfterValidator(valid_table_name)]
