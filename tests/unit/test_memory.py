"""The S3 of the property tests answers as moto does."""

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.property.memory import MemoryS3


@pytest.fixture(params=["memory", "moto"])
def s3(request, aws):
    client = MemoryS3() if request.param == "memory" else boto3.client("s3")
    client.create_bucket(Bucket="work")
    if request.param == "moto":
        versioned = {"Status": "Enabled"}
        client.put_bucket_versioning(Bucket="work", VersioningConfiguration=versioned)
    return client


def refusal(s3, **request):
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket="work", **request)
    return refused.value.response["Error"]["Code"]


def test_an_object_is_read_whole_in_part_and_as_it_was_when_it_was_put(s3, tmp_path):
    put = s3.put_object(Bucket="work", Key="ü k", Body=b"rows")
    assert put["ETag"] == '"df347a373b8f92aa0ae3dd920a5ec2f6"'
    (tmp_path / "file").write_bytes(b"more")
    s3.upload_file(str(tmp_path / "file"), "work", "uploaded")
    requests = [
        {"Key": "ü k"},
        {"Key": "ü k", "Range": "bytes=0-1"},
        {"Key": "ü k", "Range": "bytes=0-99", "IfMatch": put["ETag"]},
        {"Key": "ü k", "Range": "bytes=-3"},
        {"Key": "ü k", "Range": "bytes=-99"},
        {"Key": "uploaded"},
    ]
    found = [s3.get_object(Bucket="work", **request)["Body"].read() for request in requests]
    assert found == [b"rows", b"ro", b"rows", b"ows", b"rows", b"more"]


def test_versions_of_an_object_are_read_by_their_ids_and_the_last_without_one(s3):
    ids = [s3.put_object(Bucket="work", Key="k", Body=body)["VersionId"] for body in (b"", b"b")]
    requests = [{"VersionId": ids[0]}, {"VersionId": ids[1]}, {}]
    found = [s3.get_object(Bucket="work", Key="k", **one)["Body"].read() for one in requests]
    assert found == [b"", b"b", b"b"]


def test_what_cannot_be_read_is_refused_with_its_reason(s3):
    s3.put_object(Bucket="work", Key="empty", Body=b"")
    s3.put_object(Bucket="work", Key="deleted", Body=b"rows")
    s3.delete_object(Bucket="work", Key="deleted")
    assert refusal(s3, Key="absent") == refusal(s3, Key="deleted") == "NoSuchKey"
    assert refusal(s3, Key="empty", Range="bytes=0-9") == "InvalidRange"
    assert refusal(s3, Key="empty", IfMatch='"other"') == "PreconditionFailed"
