"""Finds the permissions that a request to AWS needs.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/
An unknown request needs an action that no policy names, so it is refused.
"""

import io
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from werkzeug.wrappers import Request

from tidegate.local.cloud.identity import arn
from tidegate.local.cloud.permissions.objects import read_s3
from tidegate.local.cloud.permissions.policies import Permission

Body = Mapping[str, Any]
_INVOKE = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations")
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
_IN_TRANSACTION = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}


def read_needs(service: str, request: Request) -> list[Permission]:
    """Return the permissions that a caller needs for this request to `service`."""
    if service == "s3":
        return read_s3(request)
    if service == "lambda":
        return [_read_lambda(request)]
    body = request.get_data()
    request.environ["wsgi.input"] = io.BytesIO(body)  # the service reads the body again
    target = request.headers.get("X-Amz-Target", "")
    if not target:
        return [_read_query(service, body)]
    operation = target.rpartition(".")[2]
    read = _READERS.get(service, _read_other)
    return [Permission(f"{service}:{one}", at) for one, at in read(operation, json.loads(body))]


def _read_lambda(request: Request) -> Permission:
    path = _INVOKE.fullmatch(request.path)
    if path is None or request.method != "POST":
        return Permission(f"lambda:{request.method} {request.path}", "*")
    name = unquote(path["name"])
    return Permission("lambda:InvokeFunction", _arn("lambda", "function:", name))


def _read_query(service: str, body: bytes) -> Permission:
    given = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    action = given.get("Action", "Unknown").removesuffix("Batch")
    return Permission(f"{service}:{action}", given.get("TopicArn", "*"))


Needs = list[tuple[str, str]]


def _read_dynamodb(operation: str, body: Body) -> Needs:
    if "TransactItems" in body:
        actions = [one for action in body["TransactItems"] for one in action.items()]
        kinds = dict.fromkeys((kind, given["TableName"]) for kind, given in actions)
        return [(_IN_TRANSACTION[kind], _table({"TableName": name})) for kind, name in kinds]
    if "RequestItems" in body:
        return [(operation, _table({"TableName": name})) for name in body["RequestItems"]]
    return [(operation, _table(body))]


def _table(given: Body) -> str:
    if "TableName" not in given:
        return "*"
    table = _arn("dynamodb", "table/", given["TableName"])
    return f"{table}/index/{given['IndexName']}" if "IndexName" in given else table


def _read_glue(operation: str, body: Body) -> Needs:
    return [(operation, arn("glue", f"job/{body['JobName']}") if "JobName" in body else "*")]


def _read_secrets(operation: str, body: Body) -> Needs:
    return [(operation, _arn("secretsmanager", "secret:", body.get("SecretId", "*")))]


def _read_sqs(operation: str, body: Body) -> Needs:
    queue = body.get("QueueUrl", "*").rpartition("/")[2]
    return [(operation.removesuffix("Batch"), queue if queue == "*" else arn("sqs", queue))]


def _read_states(operation: str, body: Body) -> Needs:
    arn = body.get("executionArn") or body.get("stateMachineArn") or "*"
    # AWS looks at the form of an ARN before it looks at permissions:
    # https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
    return [(operation, arn)] if arn == "*" or arn.startswith("arn:") else []


def _read_other(operation: str, _: Body) -> Needs:
    return [(operation, "*")]


def _arn(service: str, kind: str, name: str) -> str:
    return name if name.startswith("arn:") or name == "*" else arn(service, kind + name)


_READERS: Mapping[str, Callable[[str, Body], Needs]] = {
    "dynamodb": _read_dynamodb,
    "glue": _read_glue,
    "secretsmanager": _read_secrets,
    "sqs": _read_sqs,
    "states": _read_states,
}
