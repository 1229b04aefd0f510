"""One warehouse and one S3 for all examples of a module; each example has its own table."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from tests.property.pipeline import Pipeline
from tidegate.local.warehouse import Warehouse

USER, PASSWORD, DATABASE = "tidegate", "a-password", "dev"


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        warehouse = Warehouse(
            port=0, database=DATABASE, user=USER, password=PASSWORD, s3=boto3.client("s3")
        )
        warehouse.start()
        secret = {"host": warehouse.host, "port": str(warehouse.port), "dbname": DATABASE}
        pipeline = Pipeline({**secret, "username": USER, "password": PASSWORD, "ssl": "false"})
        yield pipeline
        pipeline.reader.close()
        warehouse.stop()
