"""fail_batch: a failure is classified, recorded and told; the run retries or gives up."""

from typing import Any

from aws_lambda_powertools import Logger

from tidegate import wiring
from tidegate.finishing.fail_batch import Failure

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take the run's table, ARN, plan and what it caught; give the verdict."""
    failure = Failure(error=event["failure"]["Error"], cause=event["failure"].get("Cause", ""))
    plan = event["planned"].get("plan", "")
    table = event["request"]["table"]
    verdict = wiring.fail_batch()(table, event["execution"], plan, failure)
    logger.warning("failed", extra={"table": table, "verdict": verdict.model_dump()})
    return verdict.model_dump()
