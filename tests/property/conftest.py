"""Fixtures: one warehouse and one S3 for all examples of a module; each has its own table."""

from collections.abc import Iterator

import pytest

from tests.property.memory import MemoryS3
from tests.property.pipeline import Pipeline
from tidegate.local.warehouse import Warehouse
from tidegate.local.warehouse.protocol.certificates import Certificates

USER, PASSWORD, DATABASE = "tidegate", "a-password", "dev"


@pytest.fixture(scope="module")
def pipeline(certificates: Certificates) -> Iterator[Pipeline]:
    s3 = MemoryS3()
    warehouse = Warehouse(
        port=0,
        database=DATABASE,
        user=USER,
        password=PASSWORD,
        s3=s3,
        certificates=certificates,
    )
    warehouse.start()
    secret = {"host": warehouse.host, "port": str(warehouse.port), "dbname": DATABASE}
    pipeline = Pipeline({**secret, "username": USER, "password": PASSWORD}, s3)
    yield pipeline
    pipeline.reader.close()
    warehouse.stop()
