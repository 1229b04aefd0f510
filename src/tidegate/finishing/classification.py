"""What an error's name says: whether it passes by itself, stays, or is not known."""

import json
import re
from typing import Literal

from tidegate import errors

Kind = Literal["transient", "terminal", "unknown"]

# What Step Functions calls a job that failed; Glue's own end of one that ran too long looks alike.
JOB_FAILED, TIMED_OUT = "States.TaskFailed", "States.Timeout"
_PASSING = {
    TIMED_OUT,
    "States.Permissions",
    # Chunks of a distributed Map failed, and of none it was noted that it died of its files:
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    "States.ExceedToleratedFailureThreshold",
    *("Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"),
    *("Lambda.TooManyRequestsException", "Lambda.EC2ThrottledException"),
    *("Lambda.ResourceNotFoundException", "Lambda.AccessDeniedException"),
    # botocore, of a service that is not reached:
    # https://github.com/boto/botocore/blob/develop/botocore/exceptions.py
    *("HTTPClientError", "ConnectionError", "ConnectionClosedError", "EndpointConnectionError"),
    *("ConnectTimeoutError", "ReadTimeoutError", "ProxyConnectionError", "SSLError"),
    *("ResponseStreamingError", "IncompleteReadError", "EventStreamError"),
    *("NoCredentialsError", "CredentialRetrievalError", "MetadataRetrievalError"),
}
# Codes of AWS's errors: it is busy or broken, or the deployment does not allow the call.
# https://docs.aws.amazon.com/general/latest/gr/CommonErrors.html
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_PASSING_CODES = {
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
_PASSING_BEGINNINGS = ("Glue.", "AccessDenied", "KMS")
_CODE = re.compile(r"An error occurred \(([\w.]+)\)")
_OURS = re.compile(r"\b([A-Z]\w+Error): ")


def kind_of(error: str, message: str = "") -> Kind:
    """What an error means for its table.

    A transient one is tried again for ever, a terminal one blocks the table at once, and one that
    nobody foresaw is tried again a few times first.
    """
    found = getattr(errors, error, None)
    if isinstance(found, type) and issubclass(found, errors.TidegateError):
        return "terminal" if issubclass(found, errors.TerminalError) else "transient"
    # boto3 makes classes of the codes that a service declares, and ClientErrors of the others.
    code = _CODE.match(message)
    names = [error, code[1]] if code else [error]
    return "transient" if any(map(_passes, names)) else "unknown"


def _passes(name: str) -> bool:
    return name in _PASSING | _PASSING_CODES or name.startswith(_PASSING_BEGINNINGS)


def name_end_of_job(error: str, cause: str, message: str) -> str:
    """The name of what ended a job that reported no outcome, as far as Glue tells it."""
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
