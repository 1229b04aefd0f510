"""A role does what its policies allow; all else is refused in the words of each service."""

import json
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def as_role(app):
    """A client with the key that functions and jobs of a role have."""

    def make(service, role="ProbeRole"):
        return boto3.client(
            service,
            endpoint_url=app.endpoint,
            region_name="us-east-1",
            aws_access_key_id=app.ids[role],
            aws_secret_access_key="any",
        )

    return make


@pytest.fixture
def calls(app):
    """What the record says of a role."""

    def read(role):
        lines = (Path(app.folder) / "calls.jsonl").read_text().splitlines()
        return [one for one in map(json.loads, lines) if one["role"] == role]

    return read


def test_a_function_has_the_key_of_its_role(app, invoke):
    environment = invoke(do="describe")[0]["environment"]
    assert environment["AWS_ACCESS_KEY_ID"] == app.ids["ProbeRole"]


def item(app):
    return {"TableName": app.ids["Table"], "Key": {"pk": {"S": "permissions"}}}


REFUSED = {
    "dynamodb": ("get_item", item, 400, "AccessDeniedException"),
    "s3": (
        "put_object",
        lambda app: {"Bucket": app.ids["Bucket"], "Key": "refused", "Body": b"1" * 5_000_000},
        403,
        "AccessDenied",
    ),
    "secretsmanager": (
        "get_secret_value",
        lambda app: {"SecretId": app.ids["Secret"]},
        400,
        "AccessDeniedException",
    ),
    "stepfunctions": (
        "start_execution",
        lambda app: {"stateMachineArn": app.ids["Machine"]},
        400,
        "AccessDeniedException",
    ),
    "glue": (
        "start_job_run",
        lambda app: {"JobName": app.ids["Job"]},
        400,
        "AccessDeniedException",
    ),
    "lambda": (
        "invoke",
        lambda app: {"FunctionName": app.ids["Single"]},
        403,
        "AccessDeniedException",
    ),
    "sns": (
        "publish",
        lambda app: {"TopicArn": "arn:aws:sns:us-east-1:123456789012:any", "Message": "a"},
        403,
        "AuthorizationError",
    ),
    "sts": ("get_caller_identity", lambda app: {}, 403, "AuthorizationError"),
}


@pytest.mark.parametrize("service", REFUSED)
def test_a_call_that_no_statement_allows_is_refused_as_the_service_refuses(app, as_role, service):
    operation, given, status, code = REFUSED[service]
    with pytest.raises(ClientError) as refused:
        getattr(as_role(service), operation)(**given(app))
    response = refused.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert response["Error"]["Code"] == code
    message = response["Error"]["Message"]
    assert f"assumed-role/{app.ids['ProbeRole']}/" in message
    assert "because no identity-based policy allows the" in message


def test_a_call_that_is_allowed_goes_on_and_is_recorded_once(app, as_role, calls):
    for _ in range(2):
        changed = as_role("dynamodb", "CollectRole").update_item(
            **item(app),
            UpdateExpression="add times :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
        assert changed["ResponseMetadata"]["HTTPStatusCode"] == 200
    table = f"arn:aws:dynamodb:us-east-1:123456789012:table/{app.ids['Table']}"
    [recorded] = [one for one in calls("CollectRole") if one["action"] == "dynamodb:UpdateItem"]
    assert recorded == {
        "role": "CollectRole",
        "action": "dynamodb:UpdateItem",
        "resource": table,
        "statement": "Table",
    }


def test_a_refusal_is_recorded_with_the_statement_to_mend(app, as_role, calls):
    with pytest.raises(ClientError):
        as_role("dynamodb", "CollectRole").delete_item(**item(app))
    remedy = "add dynamodb:DeleteItem to the statement Table of CollectRole"
    [recorded] = [one for one in calls("CollectRole") if one["statement"] is None]
    assert (recorded["action"], recorded["remedy"]) == ("dynamodb:DeleteItem", remedy)
    assert f"dynamodb:DeleteItem is refused; {remedy}" in app.said("CollectRole")


def test_whoever_may_not_list_a_bucket_is_not_told_that_an_object_is_not_there(app, as_role):
    absent = {"Bucket": app.ids["Bucket"], "Key": "archive/absent"}
    with pytest.raises(ClientError) as refused:
        as_role("s3", "MachineRole").get_object(**absent)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert "s3:ListBucket" in refused.value.response["Error"]["Message"]
    with pytest.raises(ClientError) as told:
        as_role("s3", "LoadTableRole").get_object(**absent)
    assert told.value.response["Error"]["Code"] == "NoSuchKey"


def test_a_queue_is_read_with_the_role_of_its_function(calls):
    by = {one["action"]: one["statement"] for one in calls("CollectRole")}
    managed = "AWSLambdaSQSQueueExecutionRole"
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        assert by[action] == managed


def test_a_schedule_invokes_with_a_role_of_its_own(app, calls, eventually):
    [recorded] = eventually(lambda: calls("ProbeTickRole"))
    assert recorded["action"] == "lambda:InvokeFunction"
    assert recorded["resource"].endswith(f":function:{app.ids['Probe']}")


def test_whoever_has_another_key_may_do_everything(app, dynamodb):
    dynamodb.put_item(TableName=app.ids["Table"], Item={"pk": {"S": "any"}})
