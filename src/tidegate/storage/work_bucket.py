"""Documents in the work bucket: pydantic models as JSON objects of S3."""

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Document = TypeVar("Document", bound=BaseModel)


class WorkBucket:
    """The bucket of plans, prepared files and quarantine."""

    def __init__(self, s3: "S3Client", name: str) -> None:
        self.s3 = s3
        self.name = name

    def url(self, key: str) -> str:
        """The s3:// address of `key`."""
        return f"s3://{self.name}/{key}"

    def write(self, key: str, document: BaseModel) -> None:
        """Write `document` as JSON."""
        body = document.model_dump_json(by_alias=True).encode()
        self.s3.put_object(Bucket=self.name, Key=key, Body=body, ContentType="application/json")

    def read(self, key: str, model: type[Document]) -> Document:
        """Read the JSON object at `key`.

        Raises:
            botocore.exceptions.ClientError: NoSuchKey where there is none.
        """
        body = self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        return model.model_validate_json(body)

    def find(self, key: str, model: type[Document]) -> Document | None:
        """Read the JSON object at `key`, or None where there is none."""
        try:
            return self.read(key, model)
        except self.s3.exceptions.NoSuchKey:
            return None
