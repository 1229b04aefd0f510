"""Reads S3's "Object Created" events, which EventBridge delivers through SQS."""

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

    The event holds the key as it is. S3's own notifications would URL-encode it:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """

    model_config = ConfigDict(extra="ignore")

    body: Json[_Event]

    @property
    def landed(self) -> LandedObject:
        """The object that the event reports."""
        found = self.body.detail.object
        landed_at = int(self.body.time.timestamp())
        return LandedObject(**found.model_dump(), landed_at=landed_at)


def read_message(record: dict[str, Any]) -> LandedObject:
    """Return the object that one SQS record reports.

    Raises:
        pydantic.ValidationError: the record does not hold such an event.
    """
    return Message.model_validate(record).landed
