"""Shapes: how the records of a file are read, and what they have for each source column."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tidegate.contract import Contract
from tidegate.contract.names import LONGEST_NAME
from tidegate.preparing.casts import duckdb_literal
from tidegate.preparing.formats.fields import needed, strangers
from tidegate.sql_files import render

_MOST_LISTED = 20


class ShapeError(ValueError):
    """A file cannot be opened, or its columns are not what the contract needs."""


@dataclass(frozen=True)
class Shape:
    """What is alike in files that DuckDB reads together.

    `scan` names the SQL that reads them, filled by `placeholders`; it gives the path of a record's
    file as `path`. By source column, `texts` has DuckDB's expression of the text that a record
    holds, `documents` of the JSON that it is for a column of type super, where that differs, and
    `carried` of whether a record holds something, where records of a file differ in that. `whole`
    is what it holds of them, as JSON, and `record` a text of all that it holds. Records for which
    `fault` holds, an expression and what it means, are refused. Where values are `quoted`, a file
    may end before one of them does. `types` are those of the columns in the file: DuckDB reads
    files together as if all had the types of the first. `strangers` are the columns that the
    contract does not know.
    """

    scan: str
    placeholders: tuple[tuple[str, str], ...]
    texts: tuple[tuple[str, str], ...]
    whole: str
    record: str
    documents: tuple[tuple[str, str], ...] = ()
    carried: tuple[tuple[str, str], ...] = ()
    fault: tuple[str, str] | None = None
    quoted: bool = False
    types: tuple[str, ...] = ()
    strangers: tuple[str, ...] = field(default=(), compare=False)

    def records(self, paths: Iterable[Path]) -> str:
        """The SQL that reads the files at `paths`."""
        return render(self.scan, paths=path_list(paths), **dict(self.placeholders))

    def text(self, name: str) -> str:
        """The text of the column `name`; a file without it holds nothing for it."""
        return self._text_of.get(name, "null")

    def document(self, name: str) -> str:
        """The JSON that the column `name` stands for."""
        return dict(self.documents).get(name, self.text(name))

    def has(self, name: str) -> bool:
        """Whether the file has the column `name`."""
        return name in self._text_of

    def carries(self, name: str) -> str:
        """DuckDB's expression of whether a record holds something for the column `name`."""
        return self._carried_by.get(name, "true" if self.has(name) else "false")

    @cached_property
    def _text_of(self) -> dict[str, str]:
        return dict(self.texts)

    @cached_property
    def _carried_by(self) -> dict[str, str]:
        return dict(self.carried)


def path_list(paths: Iterable[Path]) -> str:
    """Paths as DuckDB's readers take them."""
    return "[" + ", ".join(duckdb_literal(str(path)) for path in paths) + "]"


def as_json(texts: dict[str, str], contract: Contract) -> str:
    """DuckDB's expression of an object with the texts of the columns that are needed."""
    named = [f"{duckdb_literal(name)}, {texts.get(name, 'null')}" for name in needed(contract)]
    return f"json_object({', '.join(named)})"


def refuse_strangers(names: Iterable[str], contract: Contract) -> tuple[str, ...]:
    """Those of `names` that the contract does not know.

    Raises:
        ShapeError: there are some, and the contract wants none; or one is almost the operation, and
            without it every record would be an insert, deletes too.
    """
    names, operation = list(names), contract.source.options.operation
    strange = strangers(names, contract)
    alike = [name for name in strange if name.lower() == operation.lower()]
    if alike and operation not in names:
        raise ShapeError(
            f"the file names {alike[0]!r}, the operation is {operation!r}: correct "
            "source.options.operation, or the file, and land it again"
        )
    if strange and contract.evolve == "refuse":
        raise ShapeError(
            f"the file names {_listed(strange)}, which the contract does not; "
            "add it to columns, or to source.fields if it is not wanted, and land the file again"
        )
    return tuple(strange)


def _listed(names: list[str]) -> str:
    # A name can be as long as a file; the reason is kept in an item of DynamoDB.
    listed = ", ".join(repr(name[:LONGEST_NAME]) for name in names[:_MOST_LISTED])
    more = len(names) - _MOST_LISTED
    return f"{listed} and {more} more" if more > 0 else listed
