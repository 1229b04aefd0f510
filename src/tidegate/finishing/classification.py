"""Tells from an error's name whether it is transient, terminal or unknown."""

import json
import re
from typing import Literal

from tidegate import errors

Kind = Literal["transient", "terminal", "unknown"]

# Step Functions gives JOB_FAILED to a failed job, and also to one that Glue ended for its timeout.
JOB_FAILED, TIMED_OUT = "States.TaskFailed", "States.Timeout"
_TRANSIENT = {
    TIMED_OUT,
    "States.Permissions",
    # Chunks of a distributed Map failed, and no death was noted that points to their files:
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    "States.ExceedToleratedFailureThreshold",
    *("Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"),
    *("Lambda.TooManyRequestsException", "Lambda.EC2ThrottledException"),
    *("Lambda.ResourceNotFoundException", "Lambda.AccessDeniedException"),
    # botocore raises these when it cannot reach a service:
    # https://github.com/boto/botocore/blob/develop/botocore/exceptions.py
    *("HTTPClientError", "ConnectionError", "ConnectionClosedError", "EndpointConnectionError"),
    *("ConnectTimeoutError", "ReadTimeoutError", "ProxyConnectionError", "SSLError"),
    *("ResponseStreamingError", "IncompleteReadError", "EventStreamError"),
    *("NoCredentialsError", "CredentialRetrievalError", "MetadataRetrievalError"),
}
# AWS gives these codes when it is busy or broken, or when the deployment does not allow the call.
# https://docs.aws.amazon.com/general/latest/gr/CommonErrors.html
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_TRANSIENT_CODES = {
    *("SlowDown", "InternalError", "InternalFailure", "InternalServerError"),
    *("InternalServiceError", "InternalServiceException", "InternalServerException"),
    *("ServiceUnavailable", "ServiceUnavailableException", "RequestTimeout"),
    *("RequestTimeoutException", "500", "502", "503", "504"),
    *("Throttling", "ThrottlingException", "ThrottledException", "ThrottlingError"),
    *("RequestThrottled", "RequestThrottledException", "TooManyRequestsException"),
    *("RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException"),
    *("ProvisionedThroughputExceededException", "TransactionInProgressException"),
    *("TransactionConflictException", "PriorRequestNotComplete"),
    *("UnauthorizedException", "UnrecognizedClientException", "403"),
    *("ExpiredToken", "ExpiredTokenException"),
}
_TRANSIENT_PREFIXES = ("Glue.", "AccessDenied", "KMS")
_CODE = re.compile(r"An error occurred \(([\w.]+)\)")
_OURS = re.compile(r"\b([A-Z]\w+Error): ")


def kind_of(error: str, message: str = "") -> Kind:
    """Classify an error by its name, and by the AWS code in its message.

    Tidegate retries a transient error for ever. A terminal error blocks the table at once. An
    unknown error is retried a few times before it blocks the table.
    """
    found = getattr(errors, error, None)
    if isinstance(found, type) and issubclass(found, errors.TidegateError):
        return "terminal" if issubclass(found, errors.TerminalError) else "transient"
    # boto3 has a class for each code that a service declares; for other codes it has ClientError.
    code = _CODE.match(message)
    names = [error, code[1]] if code else [error]
    return "transient" if any(map(_is_transient, names)) else "unknown"


def _is_transient(name: str) -> bool:
    return name in _TRANSIENT | _TRANSIENT_CODES or name.startswith(_TRANSIENT_PREFIXES)


def name_end_of_job(error: str, cause: str, message: str) -> str:
    """Name the error that ended a job which reported no outcome, as far as Glue tells it."""
    if error != JOB_FAILED:
        return error
    if _job_run_state(cause) == "TIMEOUT":
        return TIMED_OUT
    told = _OURS.search(message)
    return told[1] if told and kind_of(told[1]) != "unknown" else error


def _job_run_state(cause: str) -> str:
    try:
        told = json.loads(cause)
    except ValueError:
        return ""
    return str(told.get("JobRunState", "")) if isinstance(told, dict) else ""
