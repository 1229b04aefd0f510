"""COPY: loads objects of S3 into a table."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tidegate.local.warehouse.catalog.history import LoadError, now
from tidegate.local.warehouse.catalog.relations import Column, Relation
from tidegate.local.warehouse.engine.session import Session
from tidegate.local.warehouse.engine.statement import Outcome, Statement
from tidegate.local.warehouse.files.delimited import find_refused, load_csv
from tidegate.local.warehouse.files.objects import S3Object, fetch, list_prefix, read_manifest
from tidegate.local.warehouse.files.parquet import load_parquet, load_refused
from tidegate.local.warehouse.language.failures import INTERNAL, TOO_LONG, SqlError
from tidegate.local.warehouse.language.lexer import Name, Words
from tidegate.local.warehouse.language.oids import Parameter
from tidegate.local.warehouse.language.options import COPY_OPTIONS, Options, read_options
from tidegate.local.warehouse.language.translation import Circumstance, translate

_REASONS = {"character varying": (1204, "String length exceeds DDL length")}
_ANY_REASON = (1207, "Invalid value for the column's type")

Files = Sequence[tuple[S3Object, Path]]


@dataclass
class Copy(Statement):
    """COPY table FROM 's3://…'."""

    text: str
    name: Name
    column_names: list[str]
    url: str
    options: Options
    kind: str = "COPY"

    def names(self) -> Sequence[Name]:
        """Returns the target table."""
        return [self.name]

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Fetches the objects, loads all or none, and records the number of rows."""
        session.lock_shared([self.name])
        target = session.catalog.find(self.name)
        if target is None:
            raise SqlError(INTERNAL, f"Cannot COPY into nonexistent table {self.name.table}")
        columns = target.select(self.column_names)
        copy_id = session.entry.query_id
        session.record_copy(copy_id, 0)
        with tempfile.TemporaryDirectory(dir=session.cluster.folder) as folder:
            files = fetch(session.cluster.s3, self._objects(session), Path(folder))
            session.interruption.check()
            count = self._load(session, target, columns, files)
        session.record_copy(copy_id, count)
        message = (
            f"Load into table '{self.name.table}' completed, {count} record(s) loaded successfully."
        )
        session.notify("00000", message, "INFO")
        return Outcome(f"COPY {count}")

    def _objects(self, session: Session) -> list[S3Object]:
        s3 = session.cluster.s3
        if "MANIFEST" in self.options:
            return read_manifest(s3, self.url, sizes_needed=self.options.format == "PARQUET")
        return list_prefix(s3, self.url)

    def _load(
        self, session: Session, target: Relation, columns: Sequence[Column], files: Files
    ) -> int:
        if self.options.format == "PARQUET":
            return self._load_parquet(session, target, columns, files)
        try:
            with session.transaction.atomic():
                return load_csv(session.cursor, target, columns, files, self.options)
        except duckdb.Error as error:
            if session.interruption.reason is not None:
                raise
            self._record(session, target, columns, files, error)
            message = f"Load into table '{self.name.table}' failed.  Check 'sys_load_error_detail' system table for details."  # noqa: E501
            raise SqlError(INTERNAL, message) from error

    def _load_parquet(
        self, session: Session, target: Relation, columns: Sequence[Column], files: Files
    ) -> int:
        try:
            with session.transaction.atomic():
                return load_parquet(session.cursor, target, columns, files)
        except duckdb.InvalidInputException as error:
            refused = translate(error, Circumstance())
            raise load_refused(refused, self.url) if refused.code == TOO_LONG else error from error

    def _record(
        self,
        session: Session,
        target: Relation,
        columns: Sequence[Column],
        files: Files,
        error: "duckdb.Error",
    ) -> None:
        # The transaction has already failed; read the files again outside of it.
        session.transaction.fail()
        try:
            refused = find_refused(session.cursor, columns, files, self.options)
        except duckdb.Error:
            refused = None
        code, reason = _REASONS.get(refused.column.type.name, _ANY_REASON) if refused else (1202, str(error))  # fmt: skip # noqa: E501
        session.cluster.history.record_load_error(
            LoadError(
                query_id=session.entry.query_id,
                table_id=target.oid,
                table_name=self.name.table,
                file_name=refused.place.url if refused else self.url,
                line_number=refused.line if refused else 0,
                column_name=refused.column.name if refused else "",
                column_type=refused.column.type.name if refused else "",
                column_length=str((refused.column.type.length or "") if refused else ""),
                error_code=code,
                error_message=reason,
                start_time=now(),
                session_id=session.pid,
            )
        )


def read_copy(words: Words) -> Statement:
    """Reads the words after COPY."""
    name = words.name()
    columns = words.listed(words.identifier) if words.peek() == "(" else []
    words.expect("FROM")
    url = words.string()
    return Copy(words.text, name, columns, url, read_options(words, COPY_OPTIONS))
