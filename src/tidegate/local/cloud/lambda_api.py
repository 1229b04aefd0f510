"""Lambda's Invoke over HTTP, in front of the functions.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import json
import re
import uuid
from http import HTTPStatus
from urllib.parse import unquote

from werkzeug.wrappers import Request, Response

from tidegate.local.cloud.functions import Function, Functions, ThrottledError
from tidegate.local.cloud.identity import arn

PATH = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations")
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_REQUEST_BYTES = 6 << 20
LARGEST_EVENT = 1 << 20
MAX_RESPONSE_BYTES = (6 << 20) + 100


class LambdaApi:
    """Answers Invoke and leaves all other requests to the next service."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def answer(self, request: Request) -> Response | None:
        """Return the response to an Invoke, None for any other request."""
        path = PATH.fullmatch(request.path)
        if path is None or request.method != "POST":
            return None
        name = unquote(path["name"])
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        function = self._functions.find(name)
        if function is None:
            message = f"Function not found: {arn('lambda', f'function:{name}')}"
            return _refusal(HTTPStatus.NOT_FOUND, "ResourceNotFoundException", message)
        payload = request.get_data() or b"{}"
        return _check(payload, kind) or self._invoke(function, payload, kind)

    def _invoke(self, function: Function, payload: bytes, kind: str) -> Response:
        if kind == "DryRun":
            return _response(HTTPStatus.NO_CONTENT)
        if kind == "Event":
            self._functions.invoke_later(function, payload)
            return _response(HTTPStatus.ACCEPTED)
        try:
            answer = function.invoke(payload)
        except ThrottledError:
            return _refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                "TooManyRequestsException",
                "Rate Exceeded.",
                Reason="ReservedFunctionConcurrentInvocationLimitExceeded",
            )
        body, failed = answer.payload, answer.failed
        if len(body) > MAX_RESPONSE_BYTES:
            body, failed = _too_large(len(body)), True
        response = _response(HTTPStatus.OK, body)
        response.headers["X-Amz-Executed-Version"] = "$LATEST"
        if failed:
            response.headers["X-Amz-Function-Error"] = "Unhandled"
        return response


def _check(payload: bytes, kind: str) -> Response | None:
    limit = LARGEST_EVENT if kind == "Event" else MAX_REQUEST_BYTES
    if len(payload) > limit:
        message = (
            f"{len(payload)} byte payload is too large for the {kind} invocation type "
            f"(limit {limit} bytes)"
        )
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return _refusal(status, "RequestTooLargeException", message)
    try:
        json.loads(payload)
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        return _refusal(HTTPStatus.BAD_REQUEST, "InvalidRequestContentException", message)
    return None


def _too_large(size: int) -> bytes:
    message = (
        f"Response payload size ({size} bytes) exceeded maximum allowed payload size "
        f"({MAX_RESPONSE_BYTES} bytes)."
    )
    error = {"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}
    return json.dumps(error).encode()


def _refusal(status: HTTPStatus, kind: str, message: str, **more: str) -> Response:
    body = {"Type": "User", "Message": message, **more}
    response = _response(status, json.dumps(body).encode())
    response.headers["X-Amzn-ErrorType"] = kind
    return response


def _response(status: HTTPStatus, body: bytes = b"") -> Response:
    headers = {"x-amzn-RequestId": str(uuid.uuid4())}
    return Response(body, status, headers, content_type="application/json")
