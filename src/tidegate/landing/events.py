"""S3's "Object Created" events, as EventBridge delivers them through SQS."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, Json

from tidegate.batch.objects import LandedObject


class _Object(BaseModel):
    key: str
    size: int
    etag: str
    version: str | None = Field(default=None, alias="version-id")


class _Detail(BaseModel):
    object: _Object


class _Event(BaseModel):
    time: datetime
    detail: _Detail


class Message(BaseModel):
    """One SQS record whose body is an event.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html: the key stands in it as it
    is, not URL-encoded as in S3's own notifications.
    """

    model_config = ConfigDict(extra="ignore")

    body: Json[_Event]

    @property
    def landed(self) -> LandedObject:
        """The object the event tells of."""
        found = self.body.detail.object
        landed_at = int(self.body.time.timestamp())
        return LandedObject(**found.model_dump(), landed_at=landed_at)


def read_message(record: dict[str, Any]) -> LandedObject:
    """The object that one SQS record tells of.

    Raises:
        pydantic.ValidationError: the record is no such event.
    """
    return Message.model_validate(record).landed
