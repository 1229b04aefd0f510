"""Reads and writes documents in the work bucket: pydantic models, stored as JSON objects."""

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Document = TypeVar("Document", bound=BaseModel)


class WorkBucket:
    """The bucket that holds plans, prepared files and refused rows."""

    def __init__(self, s3: "S3Client", name: str) -> None:
        self.s3 = s3
        self.name = name

    def url(self, key: str) -> str:
        """Return the s3:// URL of `key`."""
        return f"s3://{self.name}/{key}"

    def write(self, key: str, document: BaseModel) -> None:
        """Write `document` as JSON."""
        body = document.model_dump_json(by_alias=True).encode()
        self.s3.put_object(Bucket=self.name, Key=key, Body=body, ContentType="application/json")

    def read(self, key: str, model: type[Document]) -> Document:
        """Read the JSON object at `key`.

        Raises:
            botocore.exceptions.ClientError: NoSuchKey if there is no such object.
        """
        body = self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        return model.model_validate_json(body)

    def find(self, key: str, model: type[Document]) -> Document | None:
        """Read the JSON object at `key`; return None if there is no such object."""
        try:
            return self.read(key, model)
        except self.s3.exceptions.NoSuchKey:
            return None
