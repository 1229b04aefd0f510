"""register_files: objects that landed are recorded in the ledger, and their tables started."""

from typing import Any

from aws_lambda_powertools import Logger
from pydantic import ValidationError

from tidegate import wiring
from tidegate.landing.events import read_message
from tidegate.landing.objects import LandedObject

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take a batch of SQS records; give those that are no events back to the queue."""
    landed: list[LandedObject] = []
    failed: list[str] = []
    for record in event["Records"]:
        try:
            landed.append(read_message(record))
        except ValidationError as error:
            reason = error.json(include_input=False, include_url=False)
            logger.warning("a message is no event of S3", extra={"reason": reason})
            failed.append(record["messageId"])
    logger.info("registered", extra={"objects": wiring.register_files()(landed)})
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}
