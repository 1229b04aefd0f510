"""An object lands: event, queue, function; nothing is lost and nothing swallowed."""

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest


@pytest.fixture
def seen(app, dynamodb, eventually):
    """The event that the function was given for an object."""

    def find(key, prefix="seen"):
        def look():
            found = dynamodb.get_item(
                TableName=app.ids["Table"], Key={"pk": {"S": f"{prefix}#{key}"}}
            )
            return found.get("Item")

        return eventually(look)

    return find


def event_of(item):
    return json.loads(item["message"]["S"])


def test_an_object_that_lands_reaches_the_function_as_s3_tells_of_it(app, s3, seen):
    key = "a folder/ü+1 %2F.csv"
    etag = s3.put_object(Bucket=app.ids["Bucket"], Key=key, Body=b"12345")["ETag"]
    event = event_of(seen(key))
    assert event["source"] == "aws.s3"
    assert event["detail-type"] == "Object Created"
    assert event["region"] == "us-east-1"
    assert event["time"].endswith("Z")
    detail = event["detail"]
    assert detail["reason"] == "PutObject"
    assert detail["bucket"] == {"name": app.ids["Bucket"]}
    sequencer = detail["object"].pop("sequencer")
    assert int(sequencer, 16) > 0
    assert detail["object"] == {"key": key, "size": 5, "etag": etag.strip('"')}


def test_only_an_object_with_versions_tells_its_version(app, s3, seen):
    version = s3.put_object(Bucket=app.ids["Archive"], Key="v.csv", Body=b"1")["VersionId"]
    assert event_of(seen("v.csv"))["detail"]["object"]["version-id"] == version


def test_the_reason_says_how_an_object_came(app, s3, seen):
    bucket = app.ids["Bucket"]
    s3.put_object(Bucket=bucket, Key="how/put.csv", Body=b"1")
    s3.copy_object(Bucket=bucket, Key="how/copied.csv", CopySource=f"{bucket}/how/put.csv")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="how/parts.csv")["UploadId"]
    part = {"Bucket": bucket, "Key": "how/parts.csv", "UploadId": upload}
    etag = s3.upload_part(**part, PartNumber=1, Body=b"1")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(**part, MultipartUpload=parts)
    reasons = {
        name: event_of(seen(f"how/{name}.csv"))["detail"]["reason"]
        for name in ("put", "copied", "parts")
    }
    expected = {"put": "PutObject", "copied": "CopyObject", "parts": "CompleteMultipartUpload"}
    assert reasons == expected
    assert {seen(f"how/{name}.csv")["times"]["N"] for name in expected} == {"1"}


def test_versions_that_are_put_at_the_same_moment_are_all_kept(app, s3):
    def put(number):
        return s3.put_object(Bucket=app.ids["Archive"], Key="busy", Body=b"1")["VersionId"]

    with ThreadPoolExecutor(16) as pool:
        versions = set(pool.map(put, range(48)))
    listed = s3.list_object_versions(Bucket=app.ids["Archive"], Prefix="busy")["Versions"]
    assert {version["VersionId"] for version in listed} == versions
    assert len(versions) == 48


def test_the_sequencer_of_a_later_event_is_higher(app, s3, seen):
    for key in ("order/1", "order/2", "order/3"):
        s3.put_object(Bucket=app.ids["Bucket"], Key=key, Body=b"1")
    found = [event_of(seen(f"order/{n}"))["detail"]["object"]["sequencer"] for n in (1, 2, 3)]
    assert found == sorted(found)
    assert len(set(found)) == 3


def test_only_messages_reported_as_failed_come_back_and_end_as_dead_letters(
    app, s3, dynamodb, seen, eventually
):
    bucket = app.ids["Bucket"]
    set_visibility(app, 4)  # a busy machine may take seconds over what is not to come back
    for key in ("refused/1.csv", "taken/1.csv", "taken/2.csv"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    eventually(lambda: seen("refused/1.csv", "refused")["times"] == {"N": "2"})
    dead = eventually(lambda: receive(app, "DeadLetters"))
    assert [message["detail"]["object"]["key"] for message in dead] == ["refused/1.csv"]
    assert seen("taken/1.csv")["times"] == {"N": "1"}
    assert seen("taken/2.csv")["times"] == {"N": "1"}
    set_visibility(app, 60)


def test_a_thousand_objects_that_land_at_once_are_all_seen_in_big_batches(app, s3, eventually):
    bucket, count = app.ids["Bucket"], 1000

    def put(number):
        s3.put_object(Bucket=bucket, Key=f"many/{number:04}", Body=b"1")

    def seen_all():
        told = [line.split(" of ") for line in app.said("Collect") if line.startswith("many/")]
        return told if len({key for key, _ in told}) == count else None

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(put, range(count)))
    told = eventually(seen_all, within=60)
    assert len(told) == count
    assert max(int(together) for _, together in told) > 10


@pytest.mark.skipif(shutil.which("aws") is None, reason="the AWS command line is not installed")
def test_the_aws_command_line_copies_files(app, seen, tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text("1,2\n")
    environment = {
        "AWS_ENDPOINT_URL": app.endpoint,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = ["aws", "s3", "cp", str(file), f"s3://{app.ids['Bucket']}/cli/"]
    subprocess.run(command, env=os.environ | environment, check=True, capture_output=True)
    assert event_of(seen("cli/orders.csv"))["detail"]["object"]["size"] == 4


def set_visibility(app, seconds):
    app.client("sqs").set_queue_attributes(
        QueueUrl=queue_url(app, "Queue"), Attributes={"VisibilityTimeout": str(seconds)}
    )


def queue_url(app, name):
    return app.client("sqs").get_queue_url(QueueName=app.ids[name].rsplit("/", 1)[-1])["QueueUrl"]


def receive(app, name):
    found = app.client("sqs").receive_message(
        QueueUrl=queue_url(app, name), MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    return [json.loads(message["Body"]) for message in found.get("Messages", [])]
