"""The SQL of prepare_chunk, for one contract: columns of text `f…` become values `v…`.

Columns have numbers here, because any name may be a column's name in a contract.
"""

from collections.abc import Iterable
from pathlib import Path

from tidegate.contract import Contract
from tidegate.contract.model import OPERATION
from tidegate.contract.names import quote
from tidegate.position import CHANGE, LONGEST_POSITION, head, row_sql, sequence_sql
from tidegate.preparing.casts import Cast, cast_sql, duckdb_literal, typed_sql
from tidegate.preparing.shapes import Shape
from tidegate.sql_files import lines, render


class Statements:
    """DuckDB statements over the tables files, landed and changes of one chunk."""

    def __init__(self, contract: Contract, epoch: int) -> None:
        self._contract = contract
        self._change_head = head(epoch, CHANGE)
        needed = [*(column.source for column in contract.columns), *contract.order_by]
        self._fields = {name: f"f{number}" for number, name in enumerate(dict.fromkeys(needed))}

    def create_tables(self) -> list[str]:
        """The tables that read_files and type_changes start from."""
        fields = lines([f"{name} varchar" for name in self._fields.values()])
        return [render("prepare/create_files"), render("prepare/create_landed", fields=fields)]

    def read_files(self, shape: Shape, paths: Iterable[Path]) -> str:
        """Read files of one shape into `landed`, numbering their records."""
        options = self._contract.source.options
        columns = ", ".join(f"'c{number}': 'varchar'" for number in range(len(shape.columns)))
        return render(
            "prepare/read_files",
            operation=shape.column(OPERATION) if shape.has_operation else "'I'",
            fields=lines([shape.column(name) for name in self._fields]),
            paths="[" + ", ".join(duckdb_literal(str(path)) for path in paths) + "]",
            columns="{" + columns + "}",
            header=str(options.header).lower(),
            delimiter=duckdb_literal(options.delimiter),
            null=duckdb_literal(options.null),
            newline="'\\r\\n'" if shape.newline == "\r\n" else "'\\n'",
        )

    def type_changes(self) -> str:
        """Turn `landed` into `changes`: values, operation, position, and why a row is refused."""
        casts = self._casts()
        numbers = range(len(casts))
        kept = [self._kept(number) for number in numbers]
        return render(
            "prepare/type_changes",
            values=lines([f"{casts[number].value} as v{number}" for number in numbers], 8),
            kept_values=lines(kept),
            sequence=self._sequence(),
            row=row_sql("row"),
            refusals=lines(self._refusals(casts), 8, ""),
        )

    def write_newest(self, path: Path) -> str:
        """Write the newest change of each key as Parquet, in the order of the target's columns."""
        columns = enumerate(self._contract.columns)
        return render(
            "prepare/write_newest",
            columns=lines(
                [f"changes.v{number} as {quote(column.name)}" for number, column in columns], 8
            ),
            key=", ".join(f"changes.v{number}" for number in self._key_numbers()),
            path=duckdb_literal(str(path)),
        )

    def measure_newest(self, path: Path) -> str:
        """Count what write_newest wrote, and find its first and last position."""
        return render("prepare/measure_newest", path=duckdb_literal(str(path)))

    def write_refused(self, path: Path) -> str:
        """Write the refused rows as JSON lines, with all that the file held of them."""
        named = [f"{duckdb_literal(name)}, landed.{f}" for name, f in self._fields.items()]
        return render(
            "prepare/write_refused",
            fields=", ".join(named),
            path=duckdb_literal(str(path)),
        )

    def _casts(self) -> list[Cast]:
        return [
            cast_sql(column, self._fields[column.source], is_key=column.name in self._contract.key)
            for column in self._contract.columns
        ]

    def _key_numbers(self) -> list[int]:
        names = [column.name for column in self._contract.columns]
        return [names.index(name) for name in self._contract.key]

    def _kept(self, number: int) -> str:
        # DMS need not fill more than the key of a deleted row, so nothing else of it is believed.
        if number in self._key_numbers():
            return f"v{number}"
        return f"case when operation <> 'D' then v{number} end as v{number}"

    def _sequence(self) -> str:
        order_by = self._contract.order_by
        parts = [
            sequence_sql(typed_sql(type_, self._fields[name]), type_)
            for name, type_ in order_by.items()
        ]
        return " || ' ' || ".join(parts) or "''"

    def _refusals(self, casts: list[Cast]) -> list[str]:
        refusals = [_when("operation is null or operation not in ('I', 'U', 'D')", _UNKNOWN)]
        keys = self._key_numbers()
        for number, column in enumerate(self._contract.columns):
            cast = casts[number]
            asked = "" if number in keys else "operation <> 'D' and "
            unfit = f"{asked}{cast.held} is not null and v{number} is null"
            refusals.append(f"when {unfit} then {cast.fault}")
            if number in keys:
                missing = duckdb_literal(f"key column {column.name!r} is null")
                refusals.append(f"when v{number} is null then {missing}")
        snapshot_without = f"sequence is null and head = {duckdb_literal(self._change_head)}"
        refusals.append(_when(snapshot_without, _NO_SEQUENCE))
        refusals.append(_when(f"strlen(sequence) > {LONGEST_POSITION - 150}", _LONG_SEQUENCE))
        return refusals


_UNKNOWN = "the operation is none of I, U and D"
_NO_SEQUENCE = "the sequence is null or cannot be read"
_LONG_SEQUENCE = "the sequence is too long"


def _when(condition: str, reason: str) -> str:
    return f"when {condition} then {duckdb_literal(reason)}"
