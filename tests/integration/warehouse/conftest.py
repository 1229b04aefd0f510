"""Fixtures: a new warehouse for each test, with an S3 in this process."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import boto3
import duckdb
import pytest
import redshift_connector
from moto import mock_aws

from tidegate.local.warehouse import Warehouse

BUCKET = "tidegate-work"
USER, PASSWORD, DATABASE = "tidegate", "a-password", "dev"


class Bucket:
    """The bucket that COPY loads from, with methods to fill and read it."""

    def __init__(self, s3, folder: Path) -> None:
        self.s3 = s3
        self._folder = folder

    def put(self, key: str, body: str | bytes) -> str:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"

    def parquet(
        self, key: str, query: str, options: str = "write_timestamp_as_int96 true"
    ) -> dict[str, object]:
        """Write the query's rows as Parquet; return the manifest entry."""
        path = self._folder / "rows.parquet"
        duckdb.sql(f"copy ({query}) to '{path}' (format parquet, {options})")
        url = self.put(key, path.read_bytes())
        return {"url": url, "mandatory": True, "meta": {"content_length": path.stat().st_size}}

    def manifest(self, *entries: dict[str, object]) -> str:
        return self.put("manifest.json", json.dumps({"entries": entries}))

    def listed(self, prefix: str = "") -> list[str]:
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", [])]

    def read(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


@pytest.fixture(scope="module")
def s3():
    with mock_aws():
        yield boto3.client(
            "s3",
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )


@pytest.fixture
def bucket(s3, tmp_path) -> Iterator[Bucket]:
    s3.create_bucket(Bucket=BUCKET)
    filled = Bucket(s3, tmp_path)
    yield filled
    for key in filled.listed():
        s3.delete_object(Bucket=BUCKET, Key=key)


@pytest.fixture
def warehouse(s3, certificates) -> Iterator[Warehouse]:
    served = Warehouse(
        port=0,
        database=DATABASE,
        user=USER,
        password=PASSWORD,
        s3=s3,
        certificates=certificates,
    )
    served.start()
    yield served
    served.stop()


Connect = Callable[..., redshift_connector.Connection]


@pytest.fixture
def connect(warehouse) -> Iterator[Connect]:
    with ExitStack() as opened:

        def open_connection(*, autocommit: bool = False) -> redshift_connector.Connection:
            connection = redshift_connector.connect(
                host=warehouse.host,
                port=warehouse.port,
                database=DATABASE,
                user=USER,
                password=PASSWORD,
                timeout=20,
            )
            connection.autocommit = autocommit
            opened.callback(_close, connection)
            return connection

        yield open_connection


def _close(connection: redshift_connector.Connection) -> None:
    # A test may have closed the connection already.
    if connection._sock is not None:
        connection.close()


@pytest.fixture
def cursor(connect) -> redshift_connector.Cursor:
    """A cursor that commits every statement by itself."""
    return connect(autocommit=True).cursor()


@pytest.fixture
def failure() -> Callable[..., dict[str, str]]:
    """The error dictionary of a statement that has to fail."""

    def run(cursor: redshift_connector.Cursor, statement: str, *values: object) -> dict[str, str]:
        with pytest.raises(redshift_connector.ProgrammingError) as raised:
            cursor.execute(statement, values or None)
        return raised.value.args[0]

    return run


@pytest.fixture
def rows() -> Callable[..., list[tuple[object, ...]]]:
    """The rows of a query."""

    def run(cursor: redshift_connector.Cursor, query: str, *values: object):
        cursor.execute(query, values or None)
        return [tuple(row) for row in cursor.fetchall()]

    return run
