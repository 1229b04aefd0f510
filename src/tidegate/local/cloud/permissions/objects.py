"""Finds the permissions that a request to S3 needs.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from collections.abc import Iterator
from urllib.parse import parse_qs, unquote

from moto.s3.exceptions import HeadOnDeleteMarker, S3ClientError
from moto.s3.models import s3_backends
from werkzeug.wrappers import Request

from tidegate.local.cloud.identity import ACCOUNT
from tidegate.local.cloud.permissions.policies import Permission

_OF_OBJECTS = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "POST": "PutObject",
    "DELETE": "DeleteObject",
}
_OF_VERSIONS = {"GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion"}
_OF_UPLOADS = {"GET": "ListMultipartUploadParts", "DELETE": "AbortMultipartUpload"}
_OF_HEADERS = {"x-amz-tagging": "PutObjectTagging", "x-amz-acl": "PutObjectAcl"}
_OF_BUCKETS = {
    "location": "GetBucketLocation",
    "uploads": "ListBucketMultipartUploads",
    "versions": "ListBucketVersions",
}
_READS = {"GetObject", "GetObjectVersion"}
# The query parameters that this module knows; a request with any other parameter is refused.
_PLAIN = {
    *("continuation-token", "delimiter", "encoding-type", "fetch-owner", "list-type", "marker"),
    *("max-keys", "prefix", "start-after", "partNumber", "uploadId", "uploads", "versionId"),
    *("x-id", "location", "versions"),
}
_PLAIN_STARTS = ("response-", "X-Amz-")


def read_s3(request: Request) -> list[Permission]:
    """Return the permissions that a caller needs for this request."""
    bucket, _, key = request.path.removeprefix("/").partition("/")
    given = parse_qs(request.query_string.decode(), keep_blank_values=True)
    odd = sorted(one for one in set(given) - _PLAIN if not one.startswith(_PLAIN_STARTS))
    if odd or not bucket:
        return [Permission(f"s3:{request.method} ?{'&'.join(odd)}", _arn(bucket, key))]
    if not key:
        return [Permission(f"s3:{_of_bucket(request.method, given)}", _arn(bucket))]
    return list(_of_object(request, given, bucket, key))


def _of_bucket(method: str, given: dict[str, list[str]]) -> str:
    if method not in {"GET", "HEAD"}:
        return f"{method} of a bucket"
    return next((action for name, action in _OF_BUCKETS.items() if name in given), "ListBucket")


def _of_object(
    request: Request, given: dict[str, list[str]], bucket: str, key: str
) -> Iterator[Permission]:
    action = _OF_OBJECTS[request.method]
    version = given.get("versionId", [None])[0]
    if "uploadId" in given:
        action = _OF_UPLOADS.get(request.method, action)
    elif version:
        action = _OF_VERSIONS.get(action, action)
    yield Permission(f"s3:{action}", _arn(bucket, key))
    # S3 answers 403 instead of 404 for a missing object if the caller may not list the bucket.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    if action in _READS and not _exists(bucket, key, version):
        yield Permission("s3:ListBucket", _arn(bucket))
    yield from _of_headers(request, bucket, key)


def _of_headers(request: Request, bucket: str, key: str) -> Iterator[Permission]:
    for name, action in _OF_HEADERS.items():
        if name in request.headers:
            yield Permission(f"s3:{action}", _arn(bucket, key))
    if source := request.headers.get("x-amz-copy-source"):
        copied, _, version = unquote(source).removeprefix("/").partition("?versionId=")
        yield Permission(f"s3:GetObject{'Version' if version else ''}", _arn(copied))


def _exists(bucket: str, key: str, version: str | None) -> bool:
    try:
        return s3_backends[ACCOUNT]["aws"].head_object(bucket, key, version) is not None
    except (HeadOnDeleteMarker, S3ClientError):
        return False


def _arn(bucket: str, key: str = "") -> str:
    return f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
