"""Event source mappings: deliver a queue's messages in batches to a function, as Lambda does.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""

import json
import threading
import time
import uuid
from collections.abc import Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from moto.sqs.models import Message, Queue, sqs_backends

from tidegate.local.cloud.functions import Function, ThrottledError
from tidegate.local.cloud.identity import ACCOUNT, REGION, arn
from tidegate.local.cloud.journal import Journal
from tidegate.local.cloud.sandbox import Answer

POLL_SECONDS = 0.5  # seconds; the end of a visibility timeout wakes no thread
GATHERS_EVERY = 0.2
MAX_CONCURRENT_BATCHES = 5  # concurrent batches, as Lambda starts with
MAX_BATCH_BYTES = 6_000_000  # bytes, below the limit of an invocation's payload


class SharedQueue(Queue):
    """moto's queue, made safe for many threads.

    moto's own queue loses a message that arrives while another message is deleted.
    """

    def put(self, body: str) -> None:
        """Add a message; faster than moto, which computes all queue attributes for each one."""
        message = Message(str(uuid.uuid4()), body)
        message.mark_sent()
        self.add_message(message)

    def delete_message(self, receipt_handle: str) -> None:
        """Delete one message."""
        with self._messages_lock:
            super().delete_message(receipt_handle)

    def take(self, count: int, wait: float) -> list[Message]:
        """Take up to `count` messages that are visible now or within `wait` seconds."""
        backend = sqs_backends[self.account_id][self.region]
        with self._messages_lock:
            self._messages_lock.wait_for(lambda: self.messages, timeout=wait)
            timeout: int = self.visibility_timeout  # type: ignore[attr-defined]
            return backend.receive_message(self.name, count, 0, timeout)

    def forget(self, ids: Set[str]) -> None:
        """Delete the messages with these ids."""
        with self._messages_lock:
            self._messages = [one for one in self._messages if one.id not in ids]
            self._pending_messages = {one for one in self._pending_messages if one.id not in ids}


@dataclass(frozen=True)
class MappingSettings:
    """An event source mapping's properties in the template, intrinsics resolved."""

    queue: str
    function: str
    batch_size: int
    window: float
    reports_failures: bool


class QueueFeed:
    """Delivers one queue's messages to one function until it is stopped."""

    def __init__(self, settings: MappingSettings, function: Function, journal: Journal) -> None:
        self._settings = settings
        self._function = function
        self._journal = journal
        self._queue = find_queue(settings.queue)
        self._stopping = threading.Event()
        self._slots = threading.BoundedSemaphore(MAX_CONCURRENT_BATCHES)
        self._invoking = ThreadPoolExecutor(MAX_CONCURRENT_BATCHES, thread_name_prefix="feed")
        self._polling = threading.Thread(target=self._poll, daemon=True)

    def start(self) -> None:
        """Start to deliver."""
        self._polling.start()

    def stop(self) -> None:
        """Stop delivering; a batch in progress ends with its function."""
        self._stopping.set()
        if self._polling.is_alive():
            self._polling.join()
        self._invoking.shutdown(wait=False, cancel_futures=True)

    def _poll(self) -> None:
        while not self._stopping.is_set():
            if not self._slots.acquire(timeout=POLL_SECONDS):
                continue
            batch = self._gather()
            if batch and not self._stopping.is_set():
                self._invoking.submit(self._feed, batch)
            else:
                self._slots.release()

    def _gather(self) -> list[Message]:
        batch = self._queue.take(self._most(0), POLL_SECONDS)
        closes = time.monotonic() + self._settings.window
        while batch and (left := closes - time.monotonic()) > 0 and self._has_room(batch):
            if self._stopping.wait(min(left, GATHERS_EVERY)):
                break
            batch += self._queue.take(self._most(len(batch)), 0)
        return batch

    def _most(self, taken: int) -> int:
        return self._settings.batch_size - taken

    def _has_room(self, batch: list[Message]) -> bool:
        size = sum(len(message.body) for message in batch)
        return len(batch) < self._settings.batch_size and size < MAX_BATCH_BYTES

    def _feed(self, batch: list[Message]) -> None:
        try:
            event = {"Records": [_record(message, self._queue) for message in batch]}
            answer = self._function.invoke(json.dumps(event).encode())
            failed = self._find_failed(answer, {message.id for message in batch})
            self._queue.forget({message.id for message in batch} - failed)
            if failed:
                text = f"{len(failed)} of {len(batch)} messages failed"
                self._journal.say(self._settings.queue.split(":")[-1], text, failed=True)
        except ThrottledError:
            return  # the messages are visible again when their visibility timeout ends
        finally:
            self._slots.release()

    def _find_failed(self, answer: Answer, ids: Set[str]) -> Set[str]:
        if answer.failed:
            return ids
        if not self._settings.reports_failures:
            return frozenset()
        reported = read_failures(json.loads(answer.payload))
        return ids if reported is None or not reported <= ids else reported


def read_failures(response: Any) -> Set[str] | None:  # noqa: ANN401  (whatever a handler gives)
    """Return the ids of messages that the handler reports as failed; None if all of them failed.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    try:
        failures = (response or {}).get("batchItemFailures") or []
        ids = {failure["itemIdentifier"] for failure in failures}
    except (AttributeError, KeyError, TypeError):
        return None
    return None if None in ids or "" in ids else ids


def find_queue(queue_arn: str) -> SharedQueue:
    """Return the queue with this ARN."""
    queue = sqs_backends[ACCOUNT][REGION].get_queue(queue_arn.split(":")[-1])
    assert isinstance(queue, SharedQueue)
    return queue


def _record(message: Message, queue: Queue) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        },
        "messageAttributes": {},
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": arn("sqs", queue.name),
        "awsRegion": REGION,
    }
