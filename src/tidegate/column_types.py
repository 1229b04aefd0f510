"""Redshift's column types: how to declare each, write it to Parquet and find it in a catalogue."""

import re
from dataclasses import dataclass

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

PLAIN = ("smallint", "integer", "bigint", "real", "double", "boolean", "date", "time", "timestamp")
TYPE_NAMES = (*PLAIN, "timestamptz", "super", "varbyte", "decimal(p,s)", "char(n)", "varchar(n)")

# https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html (lengths in bytes)
LONGEST_VARCHAR = 65_535
LONGEST_CHAR = 4_096
LONGEST_VARBYTE = 1_024_000
# https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html
LARGEST_PRECISION = 38
LARGEST_SCALE = 37

_INSTEAD = {
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float": "double",
    "float4": "real",
    "float8": "double",
    "double precision": "double",
    "numeric": "decimal(p,s)",
    "decimal": "decimal(p,s)",
    "number": "decimal(p,s)",
    "bool": "boolean",
    "text": "varchar(n)",
    "string": "varchar(n)",
    "varchar": "varchar(n)",
    "character varying": "varchar(n)",
    "nvarchar": "varchar(n)",
    "char": "char(n)",
    "bpchar": "char(n)",
    "datetime": "timestamp",
    "json": "super",
    "jsonb": "super",
    "bytea": "varbyte",
    "blob": "varbyte",
}
_CATALOGUE = {
    "double": "double precision",
    "decimal": "numeric",
    "char": "character",
    "varchar": "character varying",
    "time": "time without time zone",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "varbyte": "binary varying",
}
_FORM = re.compile(r"\s*([a-z][a-z0-9 ]*?)\s*(?:\(\s*(max|[0-9]+)\s*(?:,\s*([0-9]+)\s*)?\))?\s*")


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A Redshift type: its name, and its length in bytes or its precision and scale if any."""

    name: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None

    def __str__(self) -> str:
        """Return the type as a contract writes it."""
        if self.name == "decimal":
            return f"decimal({self.precision},{self.scale})"
        return f"{self.name}({self.length})" if self.length else self.name

    @classmethod
    def parse(cls, text: str) -> "ColumnType":
        """Read a type as a contract writes it, for example `decimal(12,2)`.

        Raises:
            ValueError: there is no such type, or the length is impossible. The message names the
                types there are.
        """
        match = _FORM.fullmatch(text.lower())
        if not match:
            raise ValueError(f"{text!r} is not a type; write one of {', '.join(TYPE_NAMES)}")
        name, first, second = match.groups()
        if name == "decimal" and first and first.isdigit():
            return _decimal(int(first), int(second or 0))
        if (
            name in {"char", "varchar", "varbyte"}
            and second is None
            and (first or name == "varbyte")
        ):
            return _sized(name, first)
        if name in {*PLAIN, "timestamptz", "super"} and first is None:
            return cls(name)
        remedy = _INSTEAD.get(name)
        advice = f"write {remedy}" if remedy else f"write one of {', '.join(TYPE_NAMES)}"
        raise ValueError(f"{text!r} is not a type of a contract; {advice}")

    @property
    def ddl(self) -> str:
        """The type as CREATE TABLE expects it."""
        return "double precision" if self.name == "double" else str(self)

    @property
    def travels_as_text(self) -> bool:
        """Whether Parquet carries the value as text. It is cast between staging and target."""
        return self.name in {"char", "time", "timestamptz", "super", "varbyte"}

    @property
    def stage_ddl(self) -> str:
        """The type of the column in the staging table, and in Parquet.

        Decimals always have the largest precision. COPY accepts a decimal only in exactly the bytes
        that its precision needs, and not as an integer. DuckDB writes that form only for the
        largest precision: see tests/boundary/test_duckdb.py and
        https://github.com/G-Research/ParquetSharp/issues/252
        """
        if self.name == "decimal":
            return f"decimal({LARGEST_PRECISION},{self.scale})"
        return f"varchar({LONGEST_VARCHAR})" if self.travels_as_text else self.ddl

    @property
    def catalogue(self) -> tuple[str, int | None, int | None, int | None]:
        """The type as svv_columns shows it.

        Returns data_type, character_maximum_length, numeric_precision and numeric_scale. A number
        is None if it does not matter for the type.
        """
        return (_CATALOGUE.get(self.name, self.name), self.length, self.precision, self.scale)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic read the type from text and write it as text."""
        return core_schema.no_info_after_validator_function(
            cls.parse,
            core_schema.str_schema(strict=True),
            serialization=core_schema.to_string_ser_schema(),
        )


def _decimal(precision: int, scale: int) -> ColumnType:
    if not 1 <= precision <= LARGEST_PRECISION:
        raise ValueError(f"decimal precision {precision} is not between 1 and {LARGEST_PRECISION}")
    if scale > min(precision, LARGEST_SCALE):
        raise ValueError(f"decimal scale {scale} is larger than precision or {LARGEST_SCALE}")
    return ColumnType("decimal", precision=precision, scale=scale)


def _sized(name: str, length: str | None) -> ColumnType:
    longest = {"char": LONGEST_CHAR, "varchar": LONGEST_VARCHAR, "varbyte": LONGEST_VARBYTE}[name]
    if length is None:
        return ColumnType(name)
    size = longest if length == "max" else int(length) if length.isdigit() else 0
    if not 1 <= size <= longest:
        raise ValueError(f"{name} length {length} is not between 1 and {longest} bytes")
    return ColumnType(name, length=size)
