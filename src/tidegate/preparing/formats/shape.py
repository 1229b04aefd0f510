"""The shape of a file: how DuckDB reads its records, and the SQL of each source column."""

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
    """A file cannot be read, or its columns do not fit the contract; the message says why."""


@dataclass(frozen=True)
class Shape:
    """How to read a file. DuckDB reads files of equal shape together.

    - `scan`: the SQL file that reads the records; it gives the path of a record's file as `path`.
    - `placeholders`: the placeholders of `scan`.
    - `texts`: by source column, the SQL expression of its text.
    - `whole`: the SQL expression of all needed columns of a record, as JSON.
    - `record`: the SQL expression of a text of the whole record.
    - `documents`: by source column, the expression of its JSON for a column of type super, if that
      is not its text.
    - `carried`: by source column, the expression of whether a record has it, if records differ.
    - `fault`: an expression and a reason; a record for which the expression is true is refused.
    - `quoted`: whether values may be quoted, so that the file may end within one.
    - `types`: the types of the columns in the file. DuckDB would read all files with the types of
      the first, so files of other types have another shape.
    - `strangers`: the columns that the contract does not know.
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
        """The expression of the text of the column `name`; null if the file lacks it."""
        return self._text_of.get(name, "null")

    def document(self, name: str) -> str:
        """The expression of the JSON of the column `name`."""
        return dict(self.documents).get(name, self.text(name))

    def has(self, name: str) -> bool:
        """Whether the file has the column `name`."""
        return name in self._text_of

    def carries(self, name: str) -> str:
        """The expression of whether a record has the column `name`."""
        return self._carried_by.get(name, "true" if self.has(name) else "false")

    @cached_property
    def _text_of(self) -> dict[str, str]:
        return dict(self.texts)

    @cached_property
    def _carried_by(self) -> dict[str, str]:
        return dict(self.carried)


def path_list(paths: Iterable[Path]) -> str:
    """Paths as a list literal of DuckDB."""
    return "[" + ", ".join(duckdb_literal(str(path)) for path in paths) + "]"


def as_json(texts: dict[str, str], contract: Contract) -> str:
    """The expression of a JSON object with the texts of the needed columns."""
    named = [f"{duckdb_literal(name)}, {texts.get(name, 'null')}" for name in needed(contract)]
    return f"json_object({', '.join(named)})"


def refuse_strangers(names: Iterable[str], contract: Contract) -> tuple[str, ...]:
    """The names in `names` that the contract does not know.

    Raises:
        ShapeError: the contract refuses unknown columns; or one differs from the operation only in
            case. Without an operation every record, even a delete, would be an insert.
    """
    names, operation = list(names), contract.source.options.operation
    strange = strangers(names, contract)
    alike = [name for name in strange if name.lower() == operation.lower()]
    if alike and operation not in names:
        raise ShapeError(
            f"the file has a column {alike[0]!r}, but the operation is {operation!r}; correct "
            "source.options.operation in the contract or the file, and land it again"
        )
    if strange and contract.evolve == "refuse":
        raise ShapeError(
            f"the contract does not know {_listed(strange)}; add it to columns, or to "
            "source.fields if you do not want it, and land the file again"
        )
    return tuple(strange)


def _listed(names: list[str]) -> str:
    # A name can be as long as a file, but the reason must fit into an item of DynamoDB.
    listed = ", ".join(repr(name[:LONGEST_NAME]) for name in names[:_MOST_LISTED])
    more = len(names) - _MOST_LISTED
    return f"{listed} and {more} more" if more > 0 else listed
