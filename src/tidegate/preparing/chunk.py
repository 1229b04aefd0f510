"""One chunk in DuckDB: files are read, those that are not what they should be are set apart."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import duckdb

from tidegate.contract import Contract
from tidegate.landing.objects import LandedFile
from tidegate.position import head
from tidegate.preparing.download import LocalFile
from tidegate.preparing.shapes import HeaderError, Shape, possible_shapes, read_header
from tidegate.preparing.statements import Statements
from tidegate.sql_files import render


class Chunk:
    """The tables files, landed and changes, in a DuckDB that spills to `folder`.

    Structure decides on files: one record with a wrong number of columns, an open quote or bytes
    that are not UTF-8 make it doubtful what the others mean, so such a file is quarantined whole.
    Values decide on rows. `memory` is the most that DuckDB may use, in bytes.
    """

    def __init__(self, contract: Contract, epoch: int, folder: Path, memory: int) -> None:
        self._contract = contract
        self._epoch = epoch
        self._statements = Statements(contract, epoch)
        self._connection = duckdb.connect(
            config={"memory_limit": f"{memory}B", "temp_directory": str(folder / "spill")}
        )
        self._connection.execute("set TimeZone = 'UTC'")
        for statement in self._statements.create_tables():
            self._connection.execute(statement)
        self.quarantined: dict[str, str] = {}

    def close(self) -> None:
        """Free what DuckDB holds."""
        self._connection.close()

    def read(self, files: Iterable[LocalFile]) -> None:
        """Read `files`; `quarantined` then tells, by id, which could not be read and why."""
        shaped: dict[tuple[Shape, ...], list[LocalFile]] = defaultdict(list)
        for local in files:
            if local.unreadable:
                self.quarantined[local.file.id] = local.unreadable
            else:
                self._shape(local, shaped)
        for shapes, alike in shaped.items():
            self._read_alike(list(shapes), alike)

    def type_changes(self) -> None:
        """Fill `changes` from `landed`."""
        self._connection.execute(self._statements.type_changes())

    def counts(self) -> dict[str, tuple[int, int]]:
        """Records and refused records by the path of the file."""
        rows = self._connection.execute(render("prepare/count_files")).fetchall()
        return {path: (records, refused) for path, records, refused in rows}

    def write_newest(self, path: Path) -> tuple[int, str | None, str | None]:
        """Write the newest change of each key; give their number, first and last position."""
        self._connection.execute(self._statements.write_newest(path))
        measure = render("prepare/measure_newest", path=f"'{path}'")
        rows, first, last = self._connection.execute(measure).fetchall()[0]
        return rows, first, last

    def write_refused(self, path: Path) -> None:
        """Write the refused rows as JSON lines."""
        self._connection.execute(self._statements.write_refused(path))

    def _shape(self, local: LocalFile, shaped: dict[tuple[Shape, ...], list[LocalFile]]) -> None:
        try:
            shapes = self._shapes(local)
        except HeaderError as error:
            self.quarantined[local.file.id] = str(error)
            return
        shaped[tuple(shapes)].append(local)
        self._connection.execute("insert into files values (?, ?, ?, ?)", self._file_row(local))

    def _shapes(self, local: LocalFile) -> list[Shape]:
        if self._contract.source.options.header:
            return [read_header(local.path, self._contract)]
        return possible_shapes(self._contract, local.file.kind)

    def _file_row(self, local: LocalFile) -> list[str]:
        file: LandedFile = local.file
        return [str(local.path), file.key, head(self._epoch, file.kind), f" {file.order} "]

    def _read_alike(self, shapes: list[Shape], files: list[LocalFile]) -> None:
        shape, *others = shapes
        rejected = self._read_shape(shape, files)
        if others and rejected:
            self._read_alike(others, [file for file in files if file.file.id in rejected])
        else:
            self.quarantined.update(rejected)

    def _read_shape(self, shape: Shape, files: list[LocalFile]) -> dict[str, str]:
        """Read files of one shape; give, by id, the reasons of those that do not have it."""
        try:
            with self._transaction():
                self._connection.execute(
                    self._statements.read_files(shape, [file.path for file in files])
                )
        except duckdb.Error as error:
            if len(files) == 1:
                return {files[0].file.id: _first_line(error, files[0].path)}
            middle = len(files) // 2
            first = self._read_shape(shape, files[:middle])
            return first | self._read_shape(shape, files[middle:])
        return self._take_rejects(files)

    def _take_rejects(self, files: list[LocalFile]) -> dict[str, str]:
        reasons = dict(self._connection.execute(render("prepare/list_rejects")).fetchall())
        self._connection.execute("drop table reject_errors")
        self._connection.execute("drop table reject_scans")
        self._connection.execute(
            "delete from landed where path in (select unnest(?))", [list(reasons)]
        )
        return {
            file.file.id: reasons[str(file.path)] for file in files if str(file.path) in reasons
        }

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._connection)


def _first_line(error: duckdb.Error, path: Path) -> str:
    return "cannot be read: " + str(error).splitlines()[0].replace(str(path), "the file")


class _Transaction:
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.begin()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind:
            self._connection.rollback()
        else:
            self._connection.commit()
