"""Sends S3's events as the real EventBridge delivers them; moto's own events differ.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import json
import threading
import time
import uuid
from typing import Any

from moto.events.models import events_backends
from moto.s3.notifications import S3NotificationEvent

from tidegate.local.cloud.identity import ACCOUNT
from tidegate.local.cloud.journal import Journal
from tidegate.local.cloud.queues import find_queue

CREATED = {
    S3NotificationEvent.OBJECT_CREATED_PUT_EVENT: "PutObject",
    S3NotificationEvent.OBJECT_CREATED_POST_EVENT: "POST Object",
    S3NotificationEvent.OBJECT_CREATED_COPY_EVENT: "CopyObject",
    S3NotificationEvent.OBJECT_CREATED_COMPLETE_MULTIPART_UPLOAD_EVENT: "CompleteMultipartUpload",
}
DELETED = {
    S3NotificationEvent.OBJECT_REMOVED_DELETE_EVENT: "DeleteObject",
    S3NotificationEvent.OBJECT_REMOVED_DELETE_MARKER_CREATED_EVENT: "DeleteObject",
}


class Sequencer:
    """Makes the sequencers that order one object's events: growing hexadecimal numbers."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> str:
        """Return the next number."""
        with self._lock:
            self._last = max(self._last + 1, time.time_ns())
            return f"{self._last:018X}"


class ObjectEvents:
    """Sends events to EventBridge's rules when objects are created and deleted."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._sequencer = Sequencer()

    def send(self, account_id: str, bucket: Any, event_name: str, key: Any) -> None:  # noqa: ANN401
        """Send the event of one object; replaces moto's function with the same arguments."""
        event = self._build(bucket, event_name, key)
        if event is None:
            return
        for bus in events_backends[account_id][bucket.region_name].event_buses.values():
            for rule in list(bus.rules.values()):
                self._deliver(rule, event)
        if event["detail-type"] == "Object Created":
            where = f"s3://{bucket.name}/{key.name}"
            self._journal.say("S3", f"{where} ({event['detail']['object']['size']:,} bytes)")

    def _deliver(self, rule: Any, event: dict[str, Any]) -> None:  # noqa: ANN401  (moto's rule)
        if rule.state != "ENABLED" or not rule.event_pattern.matches_event(event):
            return
        for target in rule.targets:
            if target["Arn"].split(":")[2] == "sqs":
                find_queue(target["Arn"]).put(json.dumps(event))
            else:
                text = f"rule {rule.name}: the local stack does not run the target {target['Arn']}"
                self._journal.say("EventBridge", text, failed=True)

    def _build(self, bucket: Any, event_name: str, key: Any) -> dict[str, Any] | None:  # noqa: ANN401
        event = S3NotificationEvent(event_name)
        if event not in CREATED and event not in DELETED:
            return None
        created = event in CREATED
        entry: dict[str, Any] = {"key": key.name}
        if created:
            entry |= {"size": key.size, "etag": key.etag.strip('"')}
        if bucket.is_versioned:
            entry["version-id"] = key.version_id
        entry["sequencer"] = self._sequencer.next()
        detail: dict[str, Any] = {
            "version": "0",
            "bucket": {"name": bucket.name},
            "object": entry,
            "request-id": uuid.uuid4().hex[:16].upper(),
            "requester": ACCOUNT,
            "source-ip-address": "127.0.0.1",
            "reason": (CREATED | DELETED)[event],
        }
        if not created:
            detail["deletion-type"] = _deletion_type(event, bucket)
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Object Created" if created else "Object Deleted",
            "source": "aws.s3",
            "account": ACCOUNT,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "region": bucket.region_name,
            "resources": [bucket.arn],
            "detail": detail,
        }


def _deletion_type(event: S3NotificationEvent, bucket: Any) -> str:  # noqa: ANN401  (moto's bucket)
    marker = S3NotificationEvent.OBJECT_REMOVED_DELETE_MARKER_CREATED_EVENT
    if event is marker or bucket.is_versioned:
        return "Delete Marker Created"
    return "Permanently Deleted"
