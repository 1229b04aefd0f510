"""Which permissions a request needs, service by service, as the SDK writes it."""

import contextlib
import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto import mock_aws
from werkzeug.wrappers import Request

from tidegate.local.cloud.permissions.check import read_signature
from tidegate.local.cloud.permissions.needs import read_needs

REGION = "us-east-1"
AT = f"{REGION}:123456789012"
LEDGER = f"arn:aws:dynamodb:{AT}:table/ledger"
RUN = f"arn:aws:states:{AT}:execution:load:1"
MACHINE = f"arn:aws:states:{AT}:stateMachine:load"
TOPIC = f"arn:aws:sns:{AT}:alerts"
SECRET = f"arn:aws:secretsmanager:{AT}:secret:warehouse-1a2b3c"
QUEUE = f"https://sqs.{REGION}.amazonaws.com/123456789012/landing"
ROLE = "tidegate-PlanBatchRole-1AB"
ITEM = {"TableName": "ledger", "Key": {"pk": {"S": "a"}}}
CHANGE = {**ITEM, "UpdateExpression": "set a = b"}
ODD = "odd/sp ace & ü+%2F/1.csv"


class SentError(Exception):
    """The request is all that is wanted of a call."""


def needs(service: str, operation: str, **given: Any) -> list[str]:
    """What a call of the SDK needs, by the request that it sends."""
    sent: list[AWSPreparedRequest] = []

    def keep(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        sent.append(request)
        raise SentError

    client = boto3.client(
        service,
        region_name=REGION,
        endpoint_url="http://127.0.0.1:4566",
        aws_access_key_id=ROLE,
        aws_secret_access_key="local",
    )
    client.meta.events.register_first(f"before-send.{service}", keep)
    with contextlib.suppress(SentError):
        getattr(client, operation)(**given)
    request, body = as_received(sent[0])
    role, signed_for = read_signature(request)
    assert role == ROLE
    found = read_needs(signed_for, request)
    assert request.environ["wsgi.input"].read() == body, "nothing is left for who answers"
    return [f"{one.action} {one.resource}" for one in found]


def as_received(sent: AWSPreparedRequest) -> tuple[Request, bytes]:
    url = urlsplit(sent.url)
    body = sent.body.read() if hasattr(sent.body, "read") else sent.body or b""
    body = body.encode() if isinstance(body, str) else body
    headers = {name.upper().replace("-", "_"): as_text(text) for name, text in sent.headers.items()}
    environ = {
        "REQUEST_METHOD": sent.method,
        "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
        "QUERY_STRING": url.query,
        "CONTENT_TYPE": headers.pop("CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{name}": text for name, text in headers.items()},
    }
    return Request(environ, populate_request=False), body


def as_text(header: str | bytes) -> str:
    return header.decode("latin-1") if isinstance(header, bytes) else header


@pytest.mark.parametrize(
    ("operation", "given", "needed"),
    [
        ("get_item", ITEM, ["GetItem"]),
        ("put_item", {"TableName": "ledger", "Item": ITEM["Key"]}, ["PutItem"]),
        ("update_item", CHANGE, ["UpdateItem"]),
        ("batch_get_item", {"RequestItems": {"ledger": {"Keys": [ITEM["Key"]]}}}, ["BatchGetItem"]),
        (
            "transact_write_items",
            {
                "TransactItems": [
                    {"ConditionCheck": {**ITEM, "ConditionExpression": "attribute_exists(pk)"}},
                    {"Put": {"TableName": "ledger", "Item": ITEM["Key"]}},
                    {"Delete": ITEM},
                    {"Update": CHANGE},
                ]
            },
            ["ConditionCheckItem", "PutItem", "DeleteItem", "UpdateItem"],
        ),
        ("transact_get_items", {"TransactItems": [{"Get": ITEM}]}, ["GetItem"]),
    ],
)
def test_dynamodb_asks_for_each_action_of_a_transaction(operation, given, needed):
    assert needs("dynamodb", operation, **given) == [f"dynamodb:{one} {LEDGER}" for one in needed]


def test_dynamodb_has_a_resource_for_each_index():
    query = {"TableName": LEDGER, "IndexName": "by_time", "KeyConditionExpression": "pk = :a"}
    assert needs("dynamodb", "query", **query) == [f"dynamodb:Query {LEDGER}/index/by_time"]


@pytest.fixture
def landed() -> Iterator[str]:
    """The version of an object that is there."""
    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION)
        s3.create_bucket(Bucket="land")
        versions = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket="land", VersioningConfiguration=versions)
        version = s3.put_object(Bucket="land", Key=ODD, Body=b"1")["VersionId"]
        s3.put_object(Bucket="land", Key="deleted", Body=b"1")
        s3.delete_object(Bucket="land", Key="deleted")
        yield version


OBJECT = {"Bucket": "land", "Key": ODD}
PART = {**OBJECT, "UploadId": "u"}
COPIED = {"Bucket": "work", "Key": "a", "CopySource": {**OBJECT, "VersionId": "7"}}


@pytest.mark.parametrize(
    ("operation", "given", "needed"),
    [
        ("get_object", OBJECT, [f"GetObject arn:aws:s3:::land/{ODD}"]),
        ("get_object", {**OBJECT, "Range": "bytes=0-9"}, [f"GetObject arn:aws:s3:::land/{ODD}"]),
        ("head_object", OBJECT, [f"GetObject arn:aws:s3:::land/{ODD}"]),
        ("put_object", {**OBJECT, "Body": b"1"}, [f"PutObject arn:aws:s3:::land/{ODD}"]),
        ("create_multipart_upload", OBJECT, [f"PutObject arn:aws:s3:::land/{ODD}"]),
        (
            "upload_part",
            {**PART, "PartNumber": 1, "Body": b"1"},
            [f"PutObject arn:aws:s3:::land/{ODD}"],
        ),
        ("complete_multipart_upload", PART, [f"PutObject arn:aws:s3:::land/{ODD}"]),
        ("abort_multipart_upload", PART, [f"AbortMultipartUpload arn:aws:s3:::land/{ODD}"]),
        ("list_parts", PART, [f"ListMultipartUploadParts arn:aws:s3:::land/{ODD}"]),
        ("delete_object", OBJECT, [f"DeleteObject arn:aws:s3:::land/{ODD}"]),
        (
            "delete_object",
            {**OBJECT, "VersionId": "7"},
            [f"DeleteObjectVersion arn:aws:s3:::land/{ODD}"],
        ),
        ("list_objects_v2", {"Bucket": "land", "Prefix": "a/"}, ["ListBucket arn:aws:s3:::land"]),
        ("head_bucket", {"Bucket": "land"}, ["ListBucket arn:aws:s3:::land"]),
        ("list_object_versions", {"Bucket": "land"}, ["ListBucketVersions arn:aws:s3:::land"]),
        (
            "copy_object",
            COPIED,
            ["PutObject arn:aws:s3:::work/a", f"GetObjectVersion arn:aws:s3:::land/{ODD}"],
        ),
        (
            "put_object",
            {**OBJECT, "Tagging": "a=b"},
            [f"PutObject arn:aws:s3:::land/{ODD}", f"PutObjectTagging arn:aws:s3:::land/{ODD}"],
        ),
        ("get_object_tagging", OBJECT, [f"GET ?tagging arn:aws:s3:::land/{ODD}"]),
    ],
)
def test_s3_asks_for_an_action_by_method_and_parameters(landed, operation, given, needed):
    assert needs("s3", operation, **given) == [f"s3:{one}" for one in needed]


def test_s3_asks_for_another_action_where_a_version_is_named(landed):
    of_version = {**OBJECT, "VersionId": landed}
    needed = [f"s3:GetObjectVersion arn:aws:s3:::land/{ODD}"]
    assert needs("s3", "get_object", **of_version) == needed
    assert needs("s3", "head_object", **of_version) == needed


@pytest.mark.parametrize(
    "absent", [{"Key": "none"}, {"Key": "deleted"}, {"Key": ODD, "VersionId": "other"}]
)
def test_s3_tells_only_who_may_list_a_bucket_that_an_object_is_not_there(landed, absent):
    action, listing = needs("s3", "get_object", Bucket="land", **absent)
    assert action.startswith("s3:GetObject")
    assert listing == "s3:ListBucket arn:aws:s3:::land"


@pytest.mark.parametrize(
    ("service", "operation", "given", "needed"),
    [
        (
            "lambda",
            "invoke",
            {"FunctionName": "plan"},
            f"lambda:InvokeFunction arn:aws:lambda:{AT}:function:plan",
        ),
        (
            "lambda",
            "invoke",
            {"FunctionName": f"arn:aws:lambda:{AT}:function:plan"},
            f"lambda:InvokeFunction arn:aws:lambda:{AT}:function:plan",
        ),
        ("lambda", "list_functions", {}, "lambda:GET /2015-03-31/functions *"),
        ("stepfunctions", "start_execution", {"stateMachineArn": MACHINE}, MACHINE),
        ("stepfunctions", "describe_execution", {"executionArn": RUN}, RUN),
        ("stepfunctions", "list_state_machines", {}, "*"),
        ("glue", "start_job_run", {"JobName": "load"}, f"arn:aws:glue:{AT}:job/load"),
        ("glue", "get_job_run", {"JobName": "load", "RunId": "1"}, f"arn:aws:glue:{AT}:job/load"),
        ("secretsmanager", "get_secret_value", {"SecretId": SECRET}, SECRET),
        ("sns", "publish", {"TopicArn": TOPIC, "Message": "a"}, TOPIC),
        ("sqs", "receive_message", {"QueueUrl": QUEUE}, f"arn:aws:sqs:{AT}:landing"),
        (
            "sqs",
            "delete_message_batch",
            {"QueueUrl": QUEUE, "Entries": [{"Id": "1", "ReceiptHandle": "r"}]},
            f"sqs:DeleteMessage arn:aws:sqs:{AT}:landing",
        ),
        ("logs", "describe_log_groups", {}, "logs:DescribeLogGroups *"),
        ("sts", "get_caller_identity", {}, "sts:GetCallerIdentity *"),
    ],
)
def test_other_services_ask_for_the_operation_on_what_it_names(service, operation, given, needed):
    [found] = needs(service, operation, **given)
    if " " not in needed:
        prefix = "states" if service == "stepfunctions" else service
        action = "".join(word.capitalize() for word in operation.split("_"))
        needed = f"{prefix}:{action} {needed}"
    assert found == needed


def test_text_that_is_no_arn_is_left_to_step_functions_itself():
    assert needs("stepfunctions", "describe_execution", executionArn="somebody else") == []
