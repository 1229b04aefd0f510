"""Fetches landed objects exactly as they landed."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tidegate.batch.objects import LandedObject

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

_GONE = {"NoSuchKey", "NoSuchVersion", "404"}
_REPLACED = {"PreconditionFailed", "412"}


class GoneError(LookupError):
    """An object was deleted or replaced after it landed. The message says which."""


def fetch(
    s3: "S3Client", bucket: str, landed: LandedObject, part: str | None = None
) -> "StreamingBody":
    """Return the content of an object, or `part` of its bytes.

    The part "0-99" is the first 100 bytes, "-100" the last 100.

    Raises:
        GoneError: the object was deleted or replaced.
        botocore.exceptions.ClientError: S3 refused for another reason.
    """
    request: dict[str, Any] = {"Bucket": bucket, "Key": landed.key, "IfMatch": f'"{landed.etag}"'}
    if landed.version:
        request["VersionId"] = landed.version
    if part:
        request["Range"] = f"bytes={part}"
    try:
        return s3.get_object(**request)["Body"]
    except ClientError as error:
        raise _why_gone(error) from error


def _why_gone(error: ClientError) -> Exception:
    code = error.response["Error"]["Code"]
    if code in _GONE:
        return GoneError("the object was deleted before it was read; land it again")
    if code in _REPLACED:
        return GoneError(
            "the object was replaced before it was read; Tidegate loads the new object instead"
        )
    return error
