"""fail_batch: classifies and records a failure; the batch is tried again, or the table blocked."""

from typing import Any

from aws_lambda_powertools import Logger

from tidegate import wiring
from tidegate.finishing.fail_batch import Failure

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take the run's input, its ARN, its plan and the error it caught; return the verdict."""
    failure = Failure(error=event["failure"]["Error"], cause=event["failure"].get("Cause", ""))
    plan = event["planned"].get("plan", "")
    request = event["request"]
    verdict = wiring.fail_batch()(request, event["execution"], plan, failure)
    logger.warning("failed", extra={"table": request["table"], "verdict": verdict.model_dump()})
    return verdict.model_dump()
