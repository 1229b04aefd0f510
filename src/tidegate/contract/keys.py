"""The keys of a contract with their types and defaults. `fitting` checks that they fit together."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictStr

from tidegate.column_types import ColumnType
from tidegate.contract.limits import HALF, OptionalRowLimit, RowLimit
from tidegate.contract.names import ColumnName, TableName
from tidegate.contract.parts import Duration, FieldName, Part
from tidegate.contract.routes import Route
from tidegate.contract.sequence import Order, SequencePart
from tidegate.contract.source import Source

MOST_COLUMNS = 1_600 - 8  # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
WriteMode = Literal["upsert", "soft_delete", "history", "append", "replace"]
Evolution = Literal["add", "ignore", "refuse"]


class Column(Part):
    """A target column, and the source column that it comes from."""

    name: ColumnName
    type: ColumnType
    from_: FieldName | None = Field(default=None, alias="from")
    widen: StrictBool = True

    @property
    def source(self) -> str:
        """The name of the source column."""
        return self.from_ or self.name


class Keys(Part):
    """All keys of a contract, each checked by itself."""

    table: TableName
    source: Source
    key: list[StrictStr] = Field(default=[])
    sequence: list[SequencePart] = Field(default=[])
    write: WriteMode = "upsert"
    partial: StrictBool = False
    changed_at: FieldName | None = None
    track: Annotated[list[StrictStr], Field(min_length=1)] | None = None
    columns: Annotated[list[Column], Field(min_length=1, max_length=MOST_COLUMNS)]
    evolve: Evolution = "ignore"
    freshness: Duration = timedelta(0)
    max_deletes: OptionalRowLimit = HALF
    refresh_floor: RowLimit = HALF
    distkey: StrictStr | None = None
    sortkey: Annotated[list[StrictStr], Field(min_length=1, max_length=400)] | None = None

    @property
    def distkey_columns(self) -> list[str]:
        """The distribution key as a list: empty if the contract has none."""
        return [self.distkey] if self.distkey else []

    @property
    def sortkey_columns(self) -> list[str]:
        """The columns of the sort key: empty if the contract has none."""
        return self.sortkey or []

    @property
    def schema_name(self) -> str:
        """The schema of the target."""
        return self.table.partition(".")[0]

    @property
    def table_name(self) -> str:
        """The name of the target within its schema."""
        return self.table.partition(".")[2]

    @property
    def fields(self) -> list[str]:
        """The columns of a file in order, without the operation."""
        if self.source.fields is not None:
            return self.source.fields
        named = [*self.timestamp_fields, *(column.source for column in self.columns)]
        return list(dict.fromkeys(named))

    @property
    def order_by(self) -> dict[str, Order]:
        """The source columns that order changes, and how each compares. File and line come after.

        Empty for `replace`: there the files have an order, their rows do not. A column compares as
        its type, unless the contract declares a comparison. A column that is not in the target
        compares as text. The timestamp column of DMS is a timestamp, unless the target has it with
        another type.
        """
        if self.write == "replace":
            return {}
        declared = {column.source: column.type for column in self.columns}
        stamps = {name: ColumnType("timestamp") for name in self.timestamp_fields}
        types = {**stamps, **declared}
        parts = self.sequence or [SequencePart(name=name) for name in stamps]
        return {
            part.name: part.comparison or types.get(part.name, ColumnType("varchar"))
            for part in parts
        }

    @property
    def timestamp_fields(self) -> list[str]:
        """The column in which DMS writes the commit time, as a list: empty if there is none."""
        timestamp = self.source.options.timestamp
        return [timestamp] if timestamp else []

    @property
    def time_of_change(self) -> str | None:
        """The source column with the time of a change, for write mode history."""
        return self.changed_at or self.source.options.timestamp

    @property
    def tracked(self) -> list[str]:
        """The columns whose change opens a new version, in write mode history."""
        return self.track or [column.name for column in self.columns if column.name not in self.key]

    @property
    def before_images(self) -> dict[str, str]:
        """For each key column, the source column with its value before an update."""
        prefix = self.source.before_image
        sources = {column.name: column.source for column in self.columns}
        return (
            {name: prefix + sources[name] for name in self.key if name in sources} if prefix else {}
        )

    @property
    def route(self) -> Route:
        """The part of the contract that register_files and sweep_tables need."""
        return Route(
            table=self.table,
            prefix=self.source.prefix,
            snapshot=tuple(self.source.snapshot),
            write=self.write,
            is_ordered=bool(self.order_by),
            freshness=self.freshness,
        )

    def as_written(self) -> dict[str, Any]:
        """Return the contract as plain data, which `model_validate` reads back."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
