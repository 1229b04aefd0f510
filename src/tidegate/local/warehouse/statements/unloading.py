"""UNLOAD: writes a query's rows to S3."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegate.local.warehouse.engine.session import Session
from tidegate.local.warehouse.engine.statement import Outcome, Statement
from tidegate.local.warehouse.files.objects import parse_url
from tidegate.local.warehouse.language.failures import SqlError, not_supported_locally
from tidegate.local.warehouse.language.lexer import Name, Words, literal
from tidegate.local.warehouse.language.oids import Parameter
from tidegate.local.warehouse.language.options import (
    UNLOAD_OPTIONS,
    Options,
    compression_of,
    read_options,
)
from tidegate.local.warehouse.statements.queries import Query


@dataclass
class Unload(Statement):
    """UNLOAD ('select …') TO 's3://…', as one file."""

    text: str
    query: Query
    url: str
    options: Options
    kind: str = "UNLOAD"

    def names(self) -> Sequence[Name]:
        """Returns the tables that the query reads."""
        return self.query.names()

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Writes the rows and, with MANIFEST, a manifest."""
        session.lock_shared(self.names())
        session.publish(self.text)
        place = parse_url(self.url + self._suffix())
        self._refuse_overwriting(session, place.bucket, place.key)
        with tempfile.TemporaryDirectory(dir=session.cluster.folder) as folder:
            path = Path(folder) / "unloaded"
            sql = f"copy ({self.query.sql()}) to {literal(str(path))} ({self._format()})"
            count = int((session.read(sql, []).fetchone() or (0,))[0])
            session.cluster.s3.upload_file(str(path), place.bucket, place.key)
            size = path.stat().st_size
        if "MANIFEST" in self.options:
            self._write_manifest(session, place.url, size)
        session.notify(
            "00000", f"UNLOAD completed, {count} record(s) unloaded successfully.", "INFO"
        )
        return Outcome("UNLOAD")

    def _suffix(self) -> str:
        if self.options.format == "PARQUET":
            return (
                "000.parquet" if self.options.get("PARALLEL") == "OFF" else "0000_part_00.parquet"
            )
        number = "000" if self.options.get("PARALLEL") == "OFF" else "0000_part_00"
        return number + {"gzip": ".gz", "zstd": ".zst"}.get(compression_of(self.options), "")

    def _format(self) -> str:
        if self.options.format == "PARQUET":
            return "format parquet, write_timestamp_as_int96 true"  # COPY accepts only INT96
        csv = self.options.format == "CSV"
        delimiter = literal(self.options.get("DELIMITER", "," if csv else "|"))
        header = "true" if "HEADER" in self.options else "false"
        null = literal(self.options.get("NULL", ""))
        compression = compression_of(self.options)
        return f"format csv, delimiter {delimiter}, header {header}, nullstr {null}, compression {compression}"  # noqa: E501

    def _refuse_overwriting(self, session: Session, bucket: str, key: str) -> None:
        if "ALLOWOVERWRITE" in self.options:
            return
        found = session.cluster.s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
        if found.get("KeyCount"):
            message = "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually removing the target files in S3, or using the ALLOWOVERWRITE option."  # noqa: E501
            raise SqlError("XX000", message)

    def _write_manifest(self, session: Session, url: str, size: int) -> None:
        place = parse_url(f"{self.url}manifest")
        entry = {"url": url, "meta": {"content_length": size}}
        body = json.dumps({"entries": [entry]}).encode()
        session.cluster.s3.put_object(Bucket=place.bucket, Key=place.key, Body=body)


def read_unload(words: Words, database: str) -> Statement:
    """Reads the words after UNLOAD."""
    words.expect("(")
    query = words.string()
    words.expect(")", "TO")
    url = words.string()
    if words.peek() == "PARTITION":
        raise not_supported_locally("UNLOAD … PARTITION BY")
    options = read_options(words, UNLOAD_OPTIONS)
    return Unload(words.text, Query(query, database), url, options)
