"""Words a refused call as the called service does, in that service's protocol."""

import json
import uuid
from http import HTTPStatus
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from tidegate.local.cloud.identity import ACCOUNT
from tidegate.local.cloud.permissions.policies import Permission, Role

_S3 = "<Error><Code>AccessDenied</Code><Message>{}</Message></Error>"
# https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
_QUERY = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code>"
    "<Message>{}</Message></Error></ErrorResponse>"
)
_KIND = "AccessDeniedException"


def describe(role: Role, refused: Permission) -> str:
    """Return AWS's message for a call that no statement allows."""
    caller = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.name}/local"
    return (
        f"User: {caller} is not authorized to perform: {refused.action} on resource: "
        f"{refused.resource} because no identity-based policy allows the {refused.action} action"
    )


def refuse(service: str, request: Request, message: str) -> Response:
    """Return the response of `service` that refuses a request with `message`."""
    if service == "s3":
        return _respond(HTTPStatus.FORBIDDEN, _S3.format(escape(message)), "application/xml")
    if service == "lambda":
        body = json.dumps({"Type": "User", "Message": message})
        return _respond(HTTPStatus.FORBIDDEN, body, "application/json", _KIND)
    if "X-Amz-Target" not in request.headers:
        return _respond(HTTPStatus.FORBIDDEN, _QUERY.format(escape(message)), "text/xml")
    body = json.dumps({"__type": _KIND, "message": message})
    return _respond(HTTPStatus.BAD_REQUEST, body, "application/x-amz-json-1.1")


def _respond(status: HTTPStatus, body: str, content_type: str, kind: str = "") -> Response:
    headers = {"x-amzn-RequestId": str(uuid.uuid4())}
    if kind:
        headers["X-Amzn-ErrorType"] = kind
    return Response(body, status, headers, content_type=content_type)
