"""The key `source` of a contract: which objects belong to the table, and how to read them."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, StrictStr, model_validator

from tidegate.contract.limits import Size
from tidegate.contract.parts import FieldName, Misfit, Part, refuse, repeated

INSERT, UPDATE, DELETE, TRUNCATE = "I", "U", "D", "T"
_MARKS = {"insert": INSERT, "update": UPDATE, "delete": DELETE, "truncate": TRUNCATE}
_NEVER_DELIMITERS = frozenset('"\n\r')

_CSV_OPTIONS = frozenset({"header", "null", "delimiter", "unsupplied"})

DMS_TABLE_PREFIX = "awsdms_"  # the names of DMS's control tables begin so
_ANY_EXPANSION = 64 << 20  # bytes; unpacking that much does no harm at any ratio
_LONGEST_KEY = 1_024  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
Word = Literal["insert", "update", "delete", "truncate"]
Pattern = Annotated[StrictStr, Field(min_length=1)]
Patterns = Annotated[
    list[Pattern],
    Field(min_length=1),
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
]


class Options(Part):
    """The key `source.options`: how the source writes its files."""

    operation: Annotated[StrictStr, Field(min_length=1)] = "Op"
    header: StrictBool = False
    null: StrictStr = "NULL"
    delimiter: Annotated[StrictStr, Field(min_length=1, max_length=1)] = ","
    timestamp: FieldName | None = None
    # CsvNoSupValue: DMS writes this for a column that the source's log does not have,
    # https://docs.aws.amazon.com/dms/latest/APIReference/API_S3Settings.html
    unsupplied: Annotated[StrictStr, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _texts_are_told_apart(self) -> Self:
        refuse(self._misfits())
        return self

    def _misfits(self) -> Iterator[Misfit]:
        if self.delimiter in _NEVER_DELIMITERS:
            yield "delimiter", f"{self.delimiter!r} cannot separate columns; write ','"
        if any(mark in self.null for mark in {self.delimiter, *_NEVER_DELIMITERS}):
            yield (
                "null",
                f"{self.null!r} holds the delimiter, a quote or a line end; write another text",
            )
        if self.unsupplied == self.null:
            yield "unsupplied", f"{self.null!r} already stands for null; write another text"


class Source(Part):
    """The key `source`: which objects belong to the table, and what they contain."""

    prefix: StrictStr
    format: Literal["dms_csv", "parquet", "jsonl"]
    options: Options = Options()
    fields: Annotated[list[FieldName], Field(min_length=1)] | None = None
    # A parallel load also writes SEGMENT1_LOAD00000001.csv. PAYLOAD-1.csv is not a full load:
    # https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.S3.html
    snapshot: Patterns = Field(default=["LOAD[!A-Za-z]*", "*_LOAD[!A-Za-z]*"])
    operations: dict[StrictStr, Word] = Field(default={"I": "insert", "U": "update", "D": "delete"})
    # DMS puts this prefix before the columns of the before image, next to those of the new row:
    # https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Task.CustomizingTasks.html
    before_image: Annotated[StrictStr, Field(min_length=1)] | None = None
    max_unpacked: Size = 2 << 30
    max_expansion: Annotated[StrictInt, Field(ge=1)] = 100

    def most_unpacked(self, size: int) -> int:
        """Return how many bytes a file of `size` bytes may unpack to at most."""
        return min(self.max_unpacked, max(_ANY_EXPANSION, size * self.max_expansion))

    @property
    def names_columns(self) -> bool:
        """Whether the files name their columns."""
        return self.format != "dms_csv" or self.options.header

    @property
    def marks(self) -> dict[str, str]:
        """For each operation as the source writes it, Tidegate's letter: I, U, D or T."""
        return {written: _MARKS[word] for written, word in self.operations.items()}

    @model_validator(mode="after")
    def _keys_fit_together(self) -> Self:
        refuse(self._misfits())
        return self

    def _misfits(self) -> Iterator[Misfit]:
        yield from self._misfits_of_prefix()
        if self.fields is not None:
            yield from repeated("fields", [field.lower() for field in self.fields])
        strange = sorted(self.options.model_fields_set & _CSV_OPTIONS)
        if self.format != "dms_csv":
            for name in strange:
                text = f"is an option for CSV, not for {self.format}; remove it"
                yield f"options.{name}", text

    def _misfits_of_prefix(self) -> Iterator[Misfit]:
        if "://" in self.prefix:
            text = f"{self.prefix!r} includes the bucket; write only the path after it"
            yield "prefix", text
        elif not self.prefix.endswith("/") or self.prefix.startswith("/"):
            why = "without the last slash 'sales/cust' would also claim 'sales/customers/'"
            text = (
                f"{self.prefix!r} must name a folder: no slash at its start, one at its end; {why}"
            )
            yield "prefix", text
        elif any(folder.startswith(DMS_TABLE_PREFIX) for folder in self.prefix.split("/")):
            text = f"{self.prefix!r} is for control tables of DMS, which are never loaded"
            yield "prefix", f"{text}; name another folder"
        if len(self.prefix.encode()) >= _LONGEST_KEY:
            yield "prefix", f"is longer than the {_LONGEST_KEY} bytes of a key in S3; shorten it"
