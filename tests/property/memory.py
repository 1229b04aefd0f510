"""Versioned buckets in memory, with the calls that the steps make.

Other tests use S3's protocol.
"""

# ruff: noqa: N803  (the names of arguments are boto3's)

import hashlib
import io
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody


class MemoryS3:
    """An S3 client in memory, with the methods that the steps and the warehouse call.

    A batch calls S3 some twenty times; boto3 and moto took a quarter of a history's time for that.
    """

    def __init__(self) -> None:
        self._versions: dict[tuple[str, str], dict[str, bytes]] = {}

    def clear(self) -> None:
        """Forget all objects."""
        self._versions.clear()

    def create_bucket(self, *, Bucket: str) -> None:
        """Do nothing: every bucket exists."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> dict[str, str]:
        versions = self._versions.setdefault((Bucket, Key), {})
        version = f"v{len(versions)}"
        versions[version] = Body
        return {"ETag": _etag(Body), "VersionId": version}

    def upload_file(self, path: str, bucket: str, key: str, **_: Any) -> None:
        self.put_object(Bucket=bucket, Key=key, Body=Path(path).read_bytes())

    def get_object(
        self,
        *,
        Bucket: str,
        Key: str,
        IfMatch: str | None = None,
        VersionId: str = "",
        Range: str = "bytes=0-",
    ) -> dict[str, Any]:
        versions = self._versions.get((Bucket, Key))
        if not versions:
            raise _refusal("NoSuchKey")
        body = versions[VersionId or f"v{len(versions) - 1}"]
        if IfMatch not in (None, _etag(body)):
            raise _refusal("PreconditionFailed")
        first, _, last = Range.removeprefix("bytes=").partition("-")
        if last and not body:
            raise _refusal("InvalidRange")
        part = body[: int(last) + 1 if last else None] if first else body[-int(last) :]
        return {"Body": StreamingBody(io.BytesIO(part), len(part))}

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        """Delete an object in all its versions."""
        self._versions.pop((Bucket, Key), None)


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


def _refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "GetObject")
