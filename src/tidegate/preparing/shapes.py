"""Shapes: which columns the records of a DMS CSV file have, told by its kind or by its header."""

import csv
import gzip
import io
from dataclasses import dataclass
from pathlib import Path

from tidegate.contract import Contract
from tidegate.position import SNAPSHOT

OPERATION = "Op"


class HeaderError(ValueError):
    """A file's header cannot be read, or lacks columns that the contract needs."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a record in their order; `OPERATION` among them where it is written."""

    columns: tuple[str, ...]

    @property
    def has_operation(self) -> bool:
        """Whether records say what they are; without that every record is an insert."""
        return OPERATION in self.columns

    def column(self, name: str) -> str:
        """DuckDB's name of the column `name`; a file without it holds nothing for it."""
        return f"c{self.columns.index(name)}" if name in self.columns else "null"


def possible_shapes(contract: Contract, kind: int) -> list[Shape]:
    """The shapes a file without header may have, the likely one first.

    DMS writes the operation into change files always, into full-load files only when
    IncludeOpForFullLoad is set: docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.S3.html
    """
    fields = tuple(contract.fields)
    with_operation = Shape((OPERATION, *fields))
    return [Shape(fields), with_operation] if kind == SNAPSHOT else [with_operation]


def read_header(path: Path, contract: Contract) -> Shape:
    """The shape that the first record of `path` names.

    Raises:
        HeaderError: not text, a name twice, or not all the columns that the contract needs.
    """
    opened = gzip.open(path) if path.suffix == ".gz" else path.open("rb")
    try:
        with opened, io.TextIOWrapper(opened, encoding="utf-8-sig", newline="") as text:
            names = next(csv.reader(text, delimiter=contract.source.options.delimiter), [])
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise HeaderError(f"the header cannot be read: {error}") from error
    _refuse(sorted({name for name in names if names.count(name) > 1}), "names twice")
    wanted = [*(column.source for column in contract.columns), *contract.order_by]
    if names:
        _refuse([name for name in dict.fromkeys(wanted) if name not in names], "does not name")
    return Shape(tuple(names))


def _refuse(names: list[str], what: str) -> None:
    if names:
        raise HeaderError(f"the header {what} {', '.join(map(repr, names))}")
