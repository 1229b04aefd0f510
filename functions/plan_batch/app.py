"""plan_batch: the lease is taken, a batch is cut from what waits, and its plan is written."""

from typing import Any

from aws_lambda_powertools import Logger

from tidegate import wiring

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take the execution's input, ARN and rounds so far; give the next action and its plan."""
    planned = wiring.plan_batch()(event["request"], event["execution"], event["rounds"])
    for name, why in planned.columns_unread.items():
        logger.warning("column left unread", extra={"column": name, "reason": why})
    if planned.columns_added:
        logger.warning("columns added", extra={"columns": planned.columns_added})
    logger.info("planned", extra=planned.model_dump())
    return planned.model_dump()
