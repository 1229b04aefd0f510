"""Reads the files of one chunk into DuckDB, and quarantines those that cannot be read."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tidegate.batch.objects import LandedFile
from tidegate.contract import Contract
from tidegate.contract.widening import growing
from tidegate.contract.writing import keeps_newest
from tidegate.position import CHANGE, LONGEST_NAME, SNAPSHOT, file_order, has_order, head
from tidegate.preparing.download import LocalFile
from tidegate.preparing.foreign import foreign
from tidegate.preparing.formats.reading import read_shape
from tidegate.preparing.formats.shape import Shape, ShapeError
from tidegate.preparing.rejects import is_file_fault, reason
from tidegate.preparing.statements import Statements
from tidegate.sql_files import render

_LONG_NAME = (
    f"its name is longer than {LONGEST_NAME} bytes (each number in it counts as a few bytes more), "
    "which is too long to order files by their names; land it under a shorter name"
)
_EMPTY = "it has no rows and would empty the table; if that is right, refresh the table with force"


class Chunk:
    """One chunk: the temporary tables files, changes, outdated and refused of a connection.

    A fault in the structure quarantines the whole file: a record with a wrong number of columns, a
    quote that does not end, bytes that are not UTF-8. The other records are doubtful then too. A
    fault in a value quarantines only its row.

    The snapshot of the epoch already has the changes up to `as_of`; without `as_of`, the changes
    that landed before `taken_at`. The chunk drops them: see Plan. `since` has, by column, the time
    when it was added; a file that landed earlier may lack the column.
    """

    def __init__(
        self,
        contract: Contract,
        epoch: int,
        connection: "duckdb.DuckDBPyConnection",
        as_of: str | None = None,
        taken_at: int = 0,
        since: Mapping[str, int] | None = None,
    ) -> None:
        self._contract = contract
        self._epoch = epoch
        self._as_of = as_of
        self._taken_at = taken_at
        self._since = since or {}
        self._statements = Statements(contract, taken_at)
        self._shapes: dict[str, Shape] = {}
        self._connection = connection
        for statement in self._statements.create_tables():
            self._connection.execute(statement)
        self._has_versions = False  # of one file: changes of both may have the same position
        self.quarantined: dict[str, str] = {}

    def read(self, files: Iterable[LocalFile]) -> None:
        """Read `files`; `quarantined` then has the reason for each file that cannot be read."""
        # Records are numbered in their order. All connections share this setting: write_changes.
        self._connection.execute("set preserve_insertion_order = true")
        files = list(files)
        self._has_versions = len({local.file.key for local in files}) < len(files)
        alike: dict[tuple[Shape, int, bool], list[LocalFile]] = defaultdict(list)
        for local in files:
            try:
                shape = self._shape(local)
            except ShapeError as error:
                self.quarantined[local.file.id] = str(error)
            else:
                self._shapes[str(local.path)] = shape
                is_quoted = shape.quoted and local.has_quotes
                alike[shape, local.file.kind, is_quoted].append(local)
        for (shape, kind, is_quoted), those in alike.items():
            most = self._most_quoted() if is_quoted and len(those) > 1 else len(those)
            for first in range(0, len(those), most):
                some = those[first : first + most]
                self.quarantined.update(self._read_alike(shape, kind, some))
        self._connection.execute(self._statements.count_records())
        if self._contract.write == "replace":
            self._quarantine_empty(local for those in alike.values() for local in those)
        if self._contract.before_images:
            self._connection.execute(self._statements.move_keys())
        self._drop_superseded(local for those in alike.values() for local in those)

    def unread(self) -> list[str]:
        """The columns that are in files but not in the contract."""
        return sorted({name for shape in self._shapes.values() for name in shape.strangers})

    def counts(self) -> dict[str, tuple[int, int]]:
        """The numbers of records and of refused records, by the path of the file."""
        rows = self._connection.execute(render("prepare/list_counts")).fetchall()
        return {path: (records, refused) for path, records, refused in rows}

    def write_changes(self, path: Path) -> tuple[int, str | None, str | None]:
        """Write the changes that count as Parquet; return their number, first and last position."""
        # The records are numbered by now, and keeping their order would only cost memory.
        self._connection.execute("set preserve_insertion_order = false")
        if self._as_of and self._contract.order_by:
            known = self._statements.find_known(self._as_of, head(self._epoch, CHANGE))
            self._connection.execute(known)
        if keeps_newest(self._contract) or self._has_versions:
            self._connection.execute(self._statements.find_outdated())
        self._connection.execute(self._statements.write_changes(path))
        measured = self._connection.execute(self._statements.measure_changes(path)).fetchall()
        rows, first, last = measured[0]
        return rows, first, last

    def widths(self, path: Path) -> dict[str, int]:
        """The bytes that the written texts need, by the columns that are too narrow for them."""
        columns = growing(self._contract)
        if not columns:
            return {}
        [found] = self._connection.execute(self._statements.measure_widths(path)).fetchall()
        longest = zip(columns, found, strict=True)
        return {column.name: size for column, size in longest if size and size > column.type.length}

    def write_refused(self, path: Path) -> None:
        """Write the refused records as JSON lines, with all their values in the files."""
        for file, (_, refused) in self.counts().items():
            if refused:
                statement = self._statements.find_refused(self._shapes[file], Path(file))
                self._connection.execute(statement)
        self._connection.execute(self._statements.write_refused(path))

    def _quarantine_empty(self, files: Iterable[LocalFile]) -> None:
        # A failed export looks like this, and applying it would empty the table.
        counts = self.counts()
        for local in files:
            if local.file.id not in self.quarantined and counts[str(local.path)][0] == 0:
                self.quarantined[local.file.id] = _EMPTY

    def _drop_superseded(self, files: Iterable[LocalFile]) -> None:
        """Drop the records of files that landed before the snapshot.

        With `as_of` this drops only snapshots; find_known drops the changes one by one.
        """
        late = [
            str(local.path)
            for local in files
            if local.file.landed_at < self._taken_at
            and (self._as_of is None or local.file.kind == SNAPSHOT)
        ]
        if late:
            self._connection.execute(render("prepare/drop_superseded"), [late])

    def _shape(self, local: LocalFile) -> Shape:
        if local.unreadable:
            raise ShapeError(local.unreadable)
        file = local.file
        if not has_order(file.key):
            raise ShapeError(_LONG_NAME)
        later = {name for name, since in self._since.items() if file.landed_at < since}
        return read_shape(local.path, self._contract, file.kind, later, self._connection)

    def _most_quoted(self) -> int:
        """How many files DuckDB 2.0 may read at once and still report a quote that does not end.

        If it reads more, it silently skips such a value and all that follows it:
        tests/boundary/test_duckdb.py.
        """
        [[threads]] = self._connection.execute("select current_setting('threads')").fetchall()
        return 2 * int(threads)

    def _read_alike(self, shape: Shape, kind: int, files: list[LocalFile]) -> dict[str, str]:
        """Read files of one shape; return, by id, why some of them cannot be read."""
        try:
            with self._transaction():
                self._read_at_once(shape, kind, files)
        except duckdb.Error as error:
            if not is_file_fault(error):
                raise
            if len(files) == 1:
                path, delimiter = files[0].path, self._contract.source.options.delimiter
                what = foreign(path, self._contract.source.format)
                return {files[0].file.id: what or reason(error, path, delimiter)}
        else:
            return {}
        middle = len(files) // 2
        first = self._read_alike(shape, kind, files[:middle])
        return first | self._read_alike(shape, kind, files[middle:])

    def _read_at_once(self, shape: Shape, kind: int, files: list[LocalFile]) -> None:
        described = [
            (str(local.path), local.file.key, head(self._epoch, kind), self._tail(local.file))
            for local in files
        ]
        columns = [list(column) for column in zip(*described, strict=True)]
        self._connection.execute(render("prepare/add_files"), columns)
        paths = [local.path for local in files]
        self._connection.execute(self._statements.read_changes(shape, paths, kind))

    def _tail(self, file: LandedFile) -> str:
        """The part between sequence and row in the positions of a file's records.

        Two full loads have files of the same names. All rows of the later one are newer, unless
        their own sequence says otherwise. With `append` and `replace`, the time of landing does not
        count: `append` tells records apart by their values.
        """
        if self._contract.write in ("append", "replace"):
            return f" {file.order} "
        if file.kind == SNAPSHOT:
            return f" {file.landed_at:010d}!/{file.order} "
        return f" {file_order(file.key, self._contract.source.prefix, file.landed_at)} "

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.begin()
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()
