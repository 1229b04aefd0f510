"""The SQL of prepare_chunk for one contract: columns of text `f…` become values `v…`.

Columns have numbers here, because a contract may give a column any name.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tidegate.contract import Column, Contract
from tidegate.contract.names import quote
from tidegate.contract.sequence import is_text
from tidegate.contract.source import INSERT
from tidegate.contract.widening import arriving, growing
from tidegate.contract.writing import keeps_newest
from tidegate.position import CHANGE, LONGEST_SEQUENCE, row_sql
from tidegate.preparing.casts import Cast, cast_sql, duckdb_literal
from tidegate.preparing.formats.fields import needed
from tidegate.preparing.formats.shape import Shape
from tidegate.preparing.metadata_columns import MetadataColumns
from tidegate.preparing.sequence_columns import SequenceColumn, compared
from tidegate.sql_files import lines, render


class Statements:
    """DuckDB statements over the tables files, changes, outdated and refused of one chunk."""

    def __init__(self, contract: Contract, taken_at: int) -> None:
        self._contract = contract
        self._columns = [*arriving(contract), *_images(contract)]
        self._fields = {name: f"f{number}" for number, name in enumerate(needed(contract))}
        self._metadata = MetadataColumns(contract, self._fields, taken_at)
        # With `append`, a digest of the record tells it apart from another one at its position.
        self._record = ["record"] if contract.write == "append" else []

    def create_tables(self) -> list[str]:
        """Create the tables that reading files fills."""
        columns = enumerate(self._columns)
        values = [f"v{number} {column.type.stage_ddl}" for number, column in columns]
        metadata = [f"{name} {type_}" for name, type_ in self._metadata.types.items()]
        record = [f"{name} varchar" for name in self._record]
        return [
            render("prepare/create_files"),
            render("prepare/create_changes", values=lines(values + metadata + record)),
            render("prepare/create_outdated"),
            render("prepare/create_refused"),
        ]

    def read_changes(self, shape: Shape, paths: Iterable[Path], kind: int) -> str:
        """Read files of one shape and kind into `changes`, with the records in their order.

        Each record becomes values, an operation, a sequence, and a reason if it is refused.
        """
        casts = self._casts()
        kept = [self._kept(number) for number in range(len(casts))]
        kept += self._metadata.values(kind) + self._record
        return render(
            "prepare/read_changes",
            operation=self._operation(shape),
            fields=lines(self._texts(shape) + self._metadata.texts(shape), 8),
            records=shape.records(paths),
            casts=lines(
                [f"{cast.cast} as t{number}" for number, cast in enumerate(casts)]
                + [f"{part.sql} as {part.name}" for part in self._sequence_columns()],
                8,
            ),
            values=lines([f"{cast.value} as v{number}" for number, cast in enumerate(casts)], 8),
            kept_values=lines(kept),
            sequence=self._sequence(),
            refusals=lines(self._refusals(shape, casts, kind), 8, ""),
        )

    def count_records(self) -> str:
        """Note in `files` how many records and refused records each has, and its first record."""
        return render("prepare/count_records")

    def move_keys(self) -> str:
        """Delete the row of the old key where an update changed the key.

        No part of a key is null, so the source left out an image that is null.
        """
        moved = self._images_by_key()
        keys, others = list(moved), [*self._metadata.types, *self._record]
        images = [f"coalesce({image}, {key})" for key, image in moved.items()]
        return render(
            "prepare/move_keys",
            keys=lines(keys + others),
            images=lines(images + others),
            moved=_differ(moved),
        )

    def find_outdated(self) -> str:
        """Fill `outdated` with the changes that a newer change of their key replaces.

        Where every change counts, these are only duplicates: records in two versions of a file.
        """
        key = ", ".join(self._record) or self._key()
        identity = [key]
        if not keeps_newest(self._contract):
            identity.append(self._position())
        elif self._contract.write == "soft_delete":
            # The deleted row keeps the values of the newest change that has some.
            identity.append("operation = 'D'")
        return render(
            "prepare/find_outdated",
            key=key,
            identity=", ".join(identity),
            position=self._position(),
        )

    def find_known(self, as_of: str, head: str) -> str:
        """Fill `outdated` with the changes with `head` that a snapshot of `as_of` already has."""
        known = compared(duckdb_literal(as_of), next(iter(self._contract.order_by.values())))
        return render("prepare/find_known", head=duckdb_literal(head), as_of=known)

    def write_changes(self, path: Path) -> str:
        """Write the changes that count as Parquet, in the order of the target's columns."""
        columns = enumerate(self._contract.columns)
        written = [f"changes.v{number} as {quote(column.name)}" for number, column in columns]
        written += ["changes.operation as _op", f"{self._position()} as _position"]
        return render(
            "prepare/write_changes",
            columns=lines([*written, *self._metadata.types], 8),
            path=duckdb_literal(str(path)),
            row_group_size=_ROW_GROUP,
        )

    def measure_changes(self, path: Path) -> str:
        """Count the rows that write_changes wrote, and find their first and last position."""
        return render("prepare/measure_changes", path=duckdb_literal(str(path)))

    def measure_widths(self, path: Path) -> str:
        """Find the bytes of the longest text that write_changes wrote for each growing column."""
        names = [quote(column.name) for column in growing(self._contract)]
        return render(
            "prepare/measure_widths",
            path=duckdb_literal(str(path)),
            widths=lines([f"max(strlen({name}))" for name in names]),
        )

    def find_refused(self, shape: Shape, path: Path) -> str:
        """Read a file again for the values of its refused records."""
        return render(
            "prepare/find_refused",
            operation=shape.text(self._contract.source.options.operation),
            fields=shape.whole,
            records=shape.records([path]),
            path=duckdb_literal(str(path)),
        )

    def write_refused(self, path: Path) -> str:
        """Write the refused records as JSON lines."""
        return render("prepare/write_refused", path=duckdb_literal(str(path)))

    def _operation(self, shape: Shape) -> str:
        source = self._contract.source
        if not shape.has(source.options.operation):
            return f"'{INSERT}'"
        marks = [
            f"when {duckdb_literal(written)} then '{mark}'"
            for written, mark in source.marks.items()
        ]
        return f"case {shape.text(source.options.operation)} {' '.join(marks)} end"

    def _texts(self, shape: Shape) -> list[str]:
        fault = [f"{shape.fault[0]} as is_faulty"] if shape.fault else []
        record = [f"left(md5({shape.record}), 16) as {name}" for name in self._record]
        texts = [f"{shape.text(name)} as {field}" for name, field in self._fields.items()]
        return texts + self._documents(shape) + fault + record

    def _documents(self, shape: Shape) -> list[str]:
        columns = enumerate(self._columns)
        held = [(n, column.source) for n, column in columns if column.type.name == "super"]
        return [f"{shape.document(name)} as d{number}" for number, name in held]

    def _casts(self) -> list[Cast]:
        keys = {*self._contract.key, *(image.name for image in _images(self._contract))}
        return [
            cast_sql(column, self._text(n, column), f"t{n}", is_key=column.name in keys)
            for n, column in enumerate(self._columns)
        ]

    def _text(self, number: int, column: Column) -> str:
        return f"d{number}" if column.type.name == "super" else self._fields[column.source]

    def _key(self) -> str:
        return ", ".join(f"v{number}" for number in self._key_numbers())

    def _position(self) -> str:
        row = row_sql("coalesce(changes.of_record, changes.rowid) - files.first_record + 1")
        for record in self._record:
            row = f"{row} || '-' || changes.{record}"
        return f"files.head || coalesce(changes.sequence, '') || files.tail || {row}"

    def _key_numbers(self) -> list[int]:
        names = [column.name for column in self._contract.columns]
        return [names.index(name) for name in self._contract.key]

    def _images_by_key(self) -> dict[str, str]:
        """The value before an update, by the value after it, for each part of the key."""
        names, first = list(self._contract.before_images), len(self._contract.columns)
        keys = zip(self._contract.key, self._key_numbers(), strict=True)
        return {f"v{number}": f"v{first + names.index(name)}" for name, number in keys}

    def _kept(self, number: int) -> str:
        # DMS may fill only the key of a deleted row, so its other values are ignored.
        if self._contract.write == "append":
            return f"v{number}"
        held_by = "('I', 'U', 'D')" if number in self._key_numbers() else "('I', 'U')"
        return f"case when operation in {held_by} then v{number} end as v{number}"

    def _sequence(self) -> str:
        return " || ' ' || ".join(part.name for part in self._sequence_columns()) or "''"

    def _sequence_columns(self) -> list[SequenceColumn]:
        return [
            SequenceColumn(f"s{number}", self._fields[name], name, order)
            for number, (name, order) in enumerate(self._contract.order_by.items())
        ]

    def _refusals(self, shape: Shape, casts: list[Cast], kind: int) -> list[str]:
        refusals = [_when("is_faulty", shape.fault[1])] if shape.fault else []
        refusals.append(_when("operation is null", self._unknown()))
        keys = self._key_numbers()
        always = "operation <> 'T'"
        asked = always if self._contract.write == "append" else "operation in ('I', 'U')"
        for number, column in enumerate(self._columns):
            cast = casts[number]
            when = always if number in keys else asked
            unfit = f"v{number} is null and {cast.held} and {when}"
            refusals.append(f"when {unfit} then {cast.fault}")
            if number in keys:
                missing = duckdb_literal(f"key column {column.name!r} is null")
                refusals.append(f"when v{number} is null and {when} then {missing}")
        refusals += self._incomparable()
        if kind == CHANGE:
            refusals.append(_when("sequence is null", self._no_sequence()))
        elif parts := self._sequence_columns():
            # Rows of a snapshot need none, but one that is there and cannot be read is a mistake.
            unread = [f"({part.text} <> '' and {part.name} is null)" for part in parts]
            refusals.append(_when(" or ".join(unread), self._no_sequence()))
        refusals.append(_when(f"strlen(sequence) > {LONGEST_SEQUENCE}", _LONG_SEQUENCE))
        if self._contract.partial and self._contract.before_images:
            moved = f"operation = 'U' and ({_differ(self._images_by_key())})"
            refusals.append(_when(f"{moved} and contains(carried, '0')", _HALF_MOVED))
        return [*refusals, *self._metadata.refusals(kind)]

    def _incomparable(self) -> Iterator[str]:
        """Refuse legible texts that do not compare, with a reason that says what to do."""
        for part in self._sequence_columns():
            if is_text(part.order):
                text = part.text
                yield _when(f"strlen({text}) > {LONGEST_SEQUENCE}", _LONG_SEQUENCE)
                unread = f"sequence is null and {text} <> '' and {part.name} is null"
                legible = f"not regexp_matches({text}, '[[:cntrl:]]')"
                yield _when(f"{unread} and {legible}", part.incomparable())

    def _no_sequence(self) -> str:
        names = " or ".join(map(repr, self._contract.order_by))
        return f"{names}, which orders changes, is null or cannot be read"

    def _unknown(self) -> str:
        *others, last = self._contract.source.operations
        return f"the operation is none of {', '.join(others)} and {last}"


# Rows of a row group. With fewer than DuckDB's default of 122,880, all threads have rows to write.
_ROW_GROUP = 61_440
_LONG_SEQUENCE = "the sequence is too long"
_HALF_MOVED = (
    "it changes the key but lacks columns that the row of the new key needs; let the source write "
    "whole rows when it changes a key, or refresh the table"
)


def _images(contract: Contract) -> list[Column]:
    """The parts of the key before an update, as additional columns."""
    types = {column.name: column.type for column in contract.columns}
    images = contract.before_images.items()
    return [Column.model_construct(name=field, type=types[key]) for key, field in images]


def _differ(images: dict[str, str]) -> str:
    return " or ".join(f"{key} <> {image}" for key, image in images.items())


def _when(condition: str, reason: str) -> str:
    return f"when {condition} then {duckdb_literal(reason)}"
