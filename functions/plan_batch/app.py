"""plan_batch: takes the lease, cuts a batch of pending files, and writes its plan."""

from typing import Any

from aws_lambda_powertools import Logger

from tidegate import wiring

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take the run's input, its ARN and its rounds so far; return the next action and the plan."""
    planned = wiring.plan_batch()(event["request"], event["execution"], event["rounds"])
    for name, why in planned.columns_unread.items():
        logger.warning("column left unread", extra={"column": name, "reason": why})
    if planned.columns_added:
        logger.warning("columns added", extra={"columns": planned.columns_added})
    logger.info("planned", extra=planned.model_dump())
    return planned.model_dump()
