"""register_files: records landed objects in the ledger, and starts their tables."""

from typing import Any

from aws_lambda_powertools import Logger
from pydantic import ValidationError

from tidegate import wiring
from tidegate.batch.objects import LandedObject
from tidegate.landing.events import read_message

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take a batch of SQS records; return those that could not be recorded to the queue."""
    landed: dict[str, LandedObject] = {}
    refused: list[str] = []
    for record in event["Records"]:
        try:
            landed[record["messageId"]] = read_message(record)
        except ValidationError as error:
            reason = error.json(include_input=False, include_url=False)
            logger.warning("a message is not an S3 event", extra={"reason": reason})
            refused.append(record["messageId"])
    done = wiring.register_files()(landed.values())
    for table, failure in done.failures.items():
        logger.error("could not register", extra={"table": table}, exc_info=failure)
    logger.info("registered", extra={"objects": done.counts})
    failed = [message for message, one in landed.items() if one in done.failed]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in refused + failed]}
