"""The metadata columns of a change that some write modes need, in DuckDB's SQL."""

import json
from datetime import UTC, datetime

from tidegate.column_types import ColumnType
from tidegate.contract import Contract
from tidegate.contract.metadata_columns import columns_of_changes
from tidegate.position import CHANGE
from tidegate.preparing.casts import duckdb_literal, typed_sql
from tidegate.preparing.formats.shape import Shape

# The first snapshot does not say how old its rows are, so they count as valid since ever.
_ALWAYS = datetime(1900, 1, 1)
_NO_TIME = "the time of the change is null or cannot be read"


class MetadataColumns:
    """The columns `_changed_at`, `_digest` and `_carried`, for the contracts that have them.

    `fields` has the name of each source column's text in the statement. `taken_at` is the time of
    the snapshot in seconds since 1970; its rows without a time of change get this time.
    """

    def __init__(self, contract: Contract, fields: dict[str, str], taken_at: int) -> None:
        since = datetime.fromtimestamp(taken_at, UTC) if taken_at else _ALWAYS
        self._since = f"timestamp '{since:%Y-%m-%d %H:%M:%S}'"
        self._contract = contract
        self._fields = fields
        given = {"_op", "_position"}
        own = columns_of_changes(contract)
        self.types = {name: str(type_) for name, type_ in own.items() if name not in given}

    def texts(self, shape: Shape) -> list[str]:
        """The expressions over the texts of a file that the columns need."""
        if not self._contract.partial:
            return []
        names = [column.source for column in self._contract.columns]
        carried = [f"case when {shape.carries(name)} then '1' else '0' end" for name in names]
        return [f"{' || '.join(carried)} as carried"]

    def values(self, kind: int) -> list[str]:
        """The expressions that fill the columns."""
        expressions = {
            "_changed_at": self._changed_at(kind),
            "_digest": f"case when operation in ('I', 'U') then {self._digest()} end",
            "_carried": "carried",
        }
        return [f"{expressions[name]} as {name}" for name in self.types]

    def refusals(self, kind: int) -> list[str]:
        """The conditions under which a change is refused because a column has no value."""
        if self._contract.write != "history" or kind != CHANGE:
            return []
        return [f"when {self._changed_at(kind)} is null then {duckdb_literal(_NO_TIME)}"]

    def _changed_at(self, kind: int) -> str:
        name = self._contract.time_of_change
        if name is None:
            return "null"
        types = {column.source: column.type for column in self._contract.columns}
        type_ = types.get(name, ColumnType("timestamp"))
        zone = " at time zone 'UTC'" if type_.name == "timestamptz" else ""
        time = f"({typed_sql(type_, self._fields.get(name, 'null'))}){zone}::timestamp"
        return time if kind == CHANGE else f"coalesce({time}, {self._since})"

    def _digest(self) -> str:
        names = [column.name for column in self._contract.columns]
        # Nulls are left out, so that an added column does not make a new version of every row.
        held = ["''"] + [
            f"{duckdb_literal(json.dumps(name))} || to_json(v{names.index(name)}::varchar)"
            for name in sorted(self._contract.tracked)
        ]
        return f"md5(concat({', '.join(held)}))"
