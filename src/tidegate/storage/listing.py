"""Lists the objects of a bucket, as S3 itself knows them and without any event."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tidegate.batch.objects import LandedObject

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def list_landed(
    s3: "S3Client", bucket: str, *, prefix: str = "", after: str = ""
) -> Iterator[LandedObject]:
    """Yield the objects under `prefix` whose keys come after `after`, in the order of keys."""
    pages = s3.get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=bucket, Prefix=prefix, StartAfter=after):
        for entry in page.get("Contents", []):
            yield LandedObject(
                key=entry["Key"],
                etag=entry["ETag"].strip('"'),
                size=entry["Size"],
                landed_at=int(entry["LastModified"].timestamp()),
            )
