"""The keys of a contract, as pydantic models."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StrictBool, StrictStr, model_validator

from tidegate.column_types import ColumnType
from tidegate.contract.limits import HALF, OptionalRowLimit, RowLimit
from tidegate.contract.names import ColumnName, TableName
from tidegate.contract.parts import (
    Duration,
    FieldName,
    Misfit,
    Part,
    of_unfit_type,
    refuse,
    repeated,
    unknown,
)
from tidegate.contract.routes import Route
from tidegate.contract.sequence import Order, SequencePart
from tidegate.contract.source import Source
from tidegate.contract.writing import misfits_of_mode

MOST_COLUMNS = 1_600 - 8  # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
_SEQUENCE_TYPES = {"smallint", "integer", "bigint", "decimal", "date", "timestamp", "timestamptz"}
_TEXTS = {"char", "varchar"}
WriteMode = Literal["upsert", "soft_delete", "history", "append", "replace"]
Evolution = Literal["add", "ignore", "refuse"]
_KEY_TYPES = _SEQUENCE_TYPES | _TEXTS | {"boolean", "time"}
# https://docs.aws.amazon.com/redshift/latest/dg/r_SUPER_type.html and r_VARBYTE_type.html
_PLACING_TYPES = _KEY_TYPES | {"real", "double"}


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


class Contract(Part):
    """Everything Tidegate must know of one target table."""

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

    @model_validator(mode="after")
    def _names_fit_together(self) -> Self:
        refuse(self._misfits())
        return self

    def _misfits(self) -> Iterator[Misfit]:
        yield from self._misfits_of_names()
        yield from self._misfits_of_types()
        yield from misfits_of_mode(self)

    def _misfits_of_names(self) -> Iterator[Misfit]:
        known: set[str] = set()
        for number, column in enumerate(self.columns):
            if column.name in known:
                text = f"{column.name!r} is named more than once; keep one"
                yield f"columns.{number}.name", text
            known.add(column.name)
        for label, used in self._uses_of_columns():
            yield from repeated(label, used)
            yield from unknown(label, used, known, "columns")
        yield from repeated("sequence", [part.name for part in self.sequence])
        fields = set(self.fields)
        for label, used in self._uses_of_fields():
            yield from self._misfits_of_operation(label, used)
            if not self.source.names_columns:
                yield from unknown(label, used, fields, "source.fields")

    def _uses_of_columns(self) -> list[tuple[str, list[str]]]:
        return [
            ("key", self.key),
            ("track", self.track or []),
            ("distkey", self.distkey_columns),
            ("sortkey", self.sortkey_columns),
        ]

    def _uses_of_fields(self) -> list[tuple[str, list[str]]]:
        return [
            ("source.fields", self.source.fields or []),
            *(
                (f"columns.{number}.from", [column.source])
                for number, column in enumerate(self.columns)
            ),
            ("sequence", [part.name for part in self.sequence]),
            ("source.options.timestamp", self._timestamp_field()),
            ("changed_at", [self.changed_at] if self.changed_at else []),
            ("source.before_image", list(self.before_images.values())),
        ]

    def _misfits_of_operation(self, label: str, used: list[str]) -> Iterator[Misfit]:
        operation = self.source.options.operation
        if operation in used:
            other = "write another name, here or for source.options.operation"
            yield label, f"{operation!r} is what holds the operation; {other}"

    def _timestamp_field(self) -> list[str]:
        timestamp = self.source.options.timestamp
        return [timestamp] if timestamp else []

    def _misfits_of_types(self) -> Iterator[Misfit]:
        types = {column.name: column.type for column in self.columns}

        def typed(names: list[str]) -> dict[str, ColumnType]:
            return {name: types[name] for name in names if name in types}

        yield from of_unfit_type("key", typed(self.key), _KEY_TYPES, "cannot be a key")
        orderly = _SEQUENCE_TYPES | _TEXTS
        by_type = {name: of for name, of in self.order_by.items() if isinstance(of, ColumnType)}
        yield from of_unfit_type("sequence", by_type, orderly, "has no exact order")
        at = "sortkey" if self.sortkey else "distkey"
        placed = typed([*self.sortkey_columns, *self.distkey_columns])
        yield from of_unfit_type(at, placed, _PLACING_TYPES, "cannot place rows")

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
        named = [*self._timestamp_field(), *(column.source for column in self.columns)]
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
        stamps = {name: ColumnType("timestamp") for name in self._timestamp_field()}
        types = {**stamps, **declared}
        parts = self.sequence or [SequencePart(name=name) for name in stamps]
        return {
            part.name: part.comparison or types.get(part.name, ColumnType("varchar"))
            for part in parts
        }

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
