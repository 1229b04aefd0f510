"""The S3 objects that COPY loads and UNLOAD writes."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tidegate.local.warehouse.language.failures import INTERNAL, SqlError

# boto3 creates its client classes at run time, so there is no type to name.
S3Client = Any

_URL = re.compile(r"s3://([^/]+)/(.+)", re.DOTALL)


@dataclass(frozen=True)
class S3Object:
    """An S3 object, with its size if a manifest gives it."""

    bucket: str
    key: str
    mandatory: bool = False
    content_length: int | None = None

    @property
    def url(self) -> str:
        """The URL in manifests and error messages."""
        return f"s3://{self.bucket}/{self.key}"


def s3_failure(message: str, code: int, context: str) -> SqlError:
    """Returns an error of COPY or UNLOAD with a detail in Redshift's layout.

    For an example see https://github.com/rudderlabs/rudder-server/pull/3178
    """
    rule = "-----------------------------------------------"
    detail = (
        f"\n  {rule}\n  error:  {message}\n  code:      {code}\n  context:   {context}\n"
        f"  query:     0\n  location:  tidegate\n  process:   padbmaster [pid=0]\n  {rule}\n"
    )
    return SqlError(INTERNAL, message, detail=detail)


def parse_url(url: str) -> S3Object:
    """Returns the object that an s3:// URL names."""
    if not (found := _URL.fullmatch(url)):
        raise SqlError("22023", f"The S3 path is not valid: {url}")
    return S3Object(found[1], found[2])


def read_manifest(s3: S3Client, url: str, *, sizes_needed: bool) -> list[S3Object]:
    """Returns the objects that a manifest lists.

    https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
    """
    place = parse_url(url)
    try:
        body = s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    except (ClientError, BotoCoreError) as error:
        raise s3_failure(
            "The specified manifest cannot be read", 8001, f"{url}: {error}"
        ) from error
    try:
        entries = json.loads(body.decode("utf-8"))["entries"]
        found = [_entry(entry, sizes_needed=sizes_needed) for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise s3_failure("The manifest is malformed", 8001, f"{url}: {error!r}") from error
    return found


def _entry(entry: dict[str, Any], *, sizes_needed: bool) -> S3Object:
    place = parse_url(entry["url"])
    meta = entry.get("meta")
    if sizes_needed and meta is None:
        raise s3_failure("File entry does not have 'meta' key.", 15003, entry["url"])
    size = (meta or {}).get("content_length")
    if sizes_needed and not isinstance(size, int):
        raise s3_failure("File entry does not have 'content_length' key.", 15003, entry["url"])
    return S3Object(place.bucket, place.key, bool(entry.get("mandatory", False)), size)


def list_prefix(s3: S3Client, url: str) -> list[S3Object]:
    """Returns every object whose key begins with the prefix, without folders."""
    place = parse_url(url)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.key)
    try:
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    except (ClientError, BotoCoreError) as error:
        raise s3_failure("S3ServiceException", 8001, f"{url}: {error}") from error
    return [S3Object(place.bucket, key, mandatory=True) for key in keys if not key.endswith("/")]


def fetch(s3: S3Client, objects: list[S3Object], folder: Path) -> list[tuple[S3Object, Path]]:
    """Downloads the objects; skips missing ones unless they are mandatory."""
    found = list(_fetch_all(s3, objects, folder))
    if not found:
        raise s3_failure("The specified S3 prefix does not exist", 8001, "no file to load")
    return found


def _fetch_all(
    s3: S3Client, objects: list[S3Object], folder: Path
) -> Iterator[tuple[S3Object, Path]]:
    for index, place in enumerate(objects):
        path = folder / f"{index:06d}"
        try:
            body = s3.get_object(Bucket=place.bucket, Key=place.key)["Body"]
            with path.open("wb") as file:
                shutil.copyfileobj(body, file)
        except (ClientError, BotoCoreError) as error:
            if place.mandatory or not _is_missing(error):
                message = "Problem reading manifest file: Mandatory url is not present in manifest."
                raise s3_failure(message, 8001, f"{place.url}: {error}") from error
            continue
        _check_size(place, path)
        yield place, path


def _is_missing(error: Exception) -> bool:
    codes = {"404", "NoSuchKey", "NotFound"}
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in codes


def _check_size(place: S3Object, path: Path) -> None:
    size = path.stat().st_size
    if place.content_length is not None and size != place.content_length:
        context = f"{place.url}: manifest says {place.content_length} bytes, the object has {size}"
        raise s3_failure("Spectrum Scan Error", 15001, context)
