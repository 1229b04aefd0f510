"""The keys of a contract, and what follows from them; whether they fit together: fitting."""

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
    """A target column and the source column it comes from."""

    name: ColumnName
    type: ColumnType
    from_: FieldName | None = Field(default=None, alias="from")
    widen: StrictBool = True

    @property
    def source(self) -> str:
        """The source column."""
        return self.from_ or self.name


class Keys(Part):
    """Everything Tidegate must know of one target table, each key by itself."""

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
        """The distribution key, if one is given."""
        return [self.distkey] if self.distkey else []

    @property
    def sortkey_columns(self) -> list[str]:
        """The sort key, if one is given."""
        return self.sortkey or []

    @property
    def schema_name(self) -> str:
        """The schema of the target."""
        return self.table.partition(".")[0]

    @property
    def table_name(self) -> str:
        """The target's name within its schema."""
        return self.table.partition(".")[2]

    @property
    def fields(self) -> list[str]:
        """The file's columns in order, less the operation."""
        if self.source.fields is not None:
            return self.source.fields
        named = [*self.timestamp_fields, *(column.source for column in self.columns)]
        return list(dict.fromkeys(named))

    @property
    def order_by(self) -> dict[str, Order]:
        """The source columns that order changes, before file and line do, and how they compare.

        Empty where a table is replaced: there the files have an order, their rows do not. A column
        of which the contract does not say how it compares does so as its type; one that is no
        target column is a text. DMS's own timestamp column is always a timestamp.
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
        """The field that DMS adds with the commit time, if there is one."""
        timestamp = self.source.options.timestamp
        return [timestamp] if timestamp else []

    @property
    def time_of_change(self) -> str | None:
        """The source column that says when a change was made, for write mode history."""
        return self.changed_at or self.source.options.timestamp

    @property
    def tracked(self) -> list[str]:
        """The columns whose change opens a version, in write mode history."""
        return self.track or [column.name for column in self.columns if column.name not in self.key]

    @property
    def before_images(self) -> dict[str, str]:
        """By key column, the source column that holds its value before an update."""
        prefix = self.source.before_image
        sources = {column.name: column.source for column in self.columns}
        return (
            {name: prefix + sources[name] for name in self.key if name in sources} if prefix else {}
        )

    @property
    def route(self) -> Route:
        """What must be known of it to register and to sweep."""
        return Route(
            table=self.table,
            prefix=self.source.prefix,
            snapshot=tuple(self.source.snapshot),
            write=self.write,
            is_ordered=bool(self.order_by),
            freshness=self.freshness,
        )

    def as_written(self) -> dict[str, Any]:
        """The contract as plain data that `model_validate` takes back."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
