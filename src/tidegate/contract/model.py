"""The keys of a contract, as pydantic models."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictStr,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tidegate.contract.names import ColumnName, TableName
from tidegate.contract.types import ColumnType

MOST_COLUMNS = 1_600 - 3  # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
OPERATION = "Op"  # what DMS names the column of I, U and D
_NEVER_DELIMITERS = frozenset('"\n\r')
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SEQUENCE_TYPES = {"smallint", "integer", "bigint", "decimal", "date", "timestamp", "timestamptz"}
_TEXTS = {"char", "varchar"}
_KEY_TYPES = _SEQUENCE_TYPES | _TEXTS | {"boolean", "time"}
# https://docs.aws.amazon.com/redshift/latest/dg/r_SUPER_type.html and r_VARBYTE_type.html
_PLACING_TYPES = _KEY_TYPES | {"real", "double"}


def _duration(value: object) -> object:
    match = re.fullmatch(r"(\d{1,6})([smhd])", value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"{value!r} is not a duration; write a number and s, m, h or d: 15m")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _seconds(value: timedelta) -> str:
    return f"{int(value.total_seconds())}s"


Duration = Annotated[timedelta, BeforeValidator(_duration), PlainSerializer(_seconds)]


def _field_name(name: str) -> str:
    if name == OPERATION:
        raise ValueError(f"{OPERATION!r} is what DMS names the operation; rename it in the source")
    return name


FieldName = Annotated[StrictStr, Field(min_length=1), AfterValidator(_field_name)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class Options(_Part):
    """How the source writes its files."""

    header: StrictBool = False
    null: StrictStr = "NULL"
    delimiter: Annotated[StrictStr, Field(min_length=1, max_length=1)] = ","
    timestamp: FieldName | None = None

    @model_validator(mode="after")
    def _texts_are_told_apart(self) -> Self:
        if self.delimiter in _NEVER_DELIMITERS:
            raise _misfit("delimiter", f"{self.delimiter!r} cannot separate columns; write ','")
        if any(mark in self.null for mark in {self.delimiter, *_NEVER_DELIMITERS}):
            raise _misfit(
                "null",
                f"{self.null!r} holds the delimiter, a quote or a line end; write another text",
            )
        return self


class Source(_Part):
    """Which objects belong to the table, and what is in them."""

    prefix: StrictStr
    format: Literal["dms_csv"]
    options: Options = Options()
    fields: Annotated[list[FieldName], Field(min_length=1)] | None = None
    # A parallel load writes SEGMENT1_LOAD00000001.csv as well:
    # https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.S3.html
    snapshot: Annotated[StrictStr, Field(min_length=1)] = "*LOAD*"

    @model_validator(mode="after")
    def _prefix_is_a_folder(self) -> Self:
        if not self.prefix.endswith("/") or self.prefix.startswith("/"):
            raise _misfit(
                "prefix",
                f"{self.prefix!r} must name a folder: no slash first, one last; "
                "without the last one 'sales/cust' would also claim 'sales/customers/'",
            )
        if self.fields is not None:
            _refuse_repeated("fields", [field.lower() for field in self.fields])
        return self


class Column(_Part):
    """A target column and the source column it comes from."""

    name: ColumnName
    type: ColumnType
    from_: FieldName | None = Field(default=None, alias="from")

    @property
    def source(self) -> str:
        """The source column."""
        return self.from_ or self.name


class Contract(_Part):
    """Everything Tidegate must know of one target table."""

    table: TableName
    source: Source
    key: Annotated[list[StrictStr], Field(min_length=1)]
    sequence: list[FieldName] = []
    write: Literal["upsert"] = "upsert"
    columns: Annotated[list[Column], Field(min_length=1, max_length=MOST_COLUMNS)]
    freshness: Duration = timedelta(0)
    distkey: StrictStr | None = None
    sortkey: Annotated[list[StrictStr], Field(min_length=1, max_length=400)] | None = None

    @model_validator(mode="after")
    def _names_fit_together(self) -> Self:
        names = [column.name for column in self.columns]
        _refuse_repeated("columns", names)
        for label, used in self._uses_of_columns():
            _refuse_repeated(label, used)
            _refuse_unknown(label, used, names, "columns")
        for label, used in self._uses_of_fields():
            _refuse_unknown(label, used, self.fields, "source.fields")
        self._refuse_unfit_types()
        return self

    def _uses_of_columns(self) -> list[tuple[str, list[str]]]:
        return [
            ("key", self.key),
            ("distkey", self.distkey_columns),
            ("sortkey", self.sortkey_columns),
        ]

    def _uses_of_fields(self) -> list[tuple[str, list[str]]]:
        if self.source.options.header:
            return []
        return [
            *(
                (f"columns.{number}.from", [column.source])
                for number, column in enumerate(self.columns)
            ),
            ("sequence", self.sequence),
            ("source.options.timestamp", self._timestamp_field()),
        ]

    def _timestamp_field(self) -> list[str]:
        timestamp = self.source.options.timestamp
        return [timestamp] if timestamp else []

    def _refuse_unfit_types(self) -> None:
        types = {column.name: column.type for column in self.columns}
        keys = {name: types[name] for name in self.key}
        placed = {name: types[name] for name in [*self.sortkey_columns, *self.distkey_columns]}
        _refuse_types("key", keys, _KEY_TYPES, "cannot be a key")
        _refuse_types("sequence", self.order_by, _SEQUENCE_TYPES | _TEXTS, "has no exact order")
        at = "sortkey" if self.sortkey else "distkey"
        _refuse_types(at, placed, _PLACING_TYPES, "cannot place rows")

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
    def order_by(self) -> dict[str, ColumnType]:
        """The source columns that order changes, before file and line do, and how they compare.

        A sequence that no target column declares is compared as text; DMS's own timestamp column
        is always a timestamp.
        """
        declared = {column.source: column.type for column in self.columns}
        stamps = {name: ColumnType("timestamp") for name in self._timestamp_field()}
        known = {**stamps, **declared}
        return {name: known.get(name, ColumnType("varchar")) for name in self.sequence or stamps}

    def as_written(self) -> dict[str, Any]:
        """The contract as plain data that `model_validate` takes back."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _misfit(at: str, message: str) -> PydanticCustomError:
    # A validator of a whole model does not know which key is at fault; `at` says it.
    return PydanticCustomError("misfit", "{text}", {"at": at, "text": message})


def _refuse_repeated(at: str, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise _misfit(at, f"{', '.join(map(repr, repeated))} is named more than once; keep one")


def _refuse_types(at: str, used: dict[str, ColumnType], fit: set[str], why: str) -> None:
    for name, type_ in used.items():
        if type_.name not in fit:
            raise _misfit(at, f"column {name!r} is {type_}, which {why}; choose another")


def _refuse_unknown(at: str, used: list[str], known: list[str], where: str) -> None:
    unknown = ", ".join(repr(name) for name in used if name not in known)
    if unknown:
        raise _misfit(at, f"{unknown} is not found in {where}; add it there or write another name")
