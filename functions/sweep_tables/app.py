"""sweep_tables: starts due tables and finds objects whose event was lost, on a schedule."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tidegate import wiring

logger = Logger()
LEAST_TIME = 10_000  # milliseconds that one more page of the bucket needs


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take what to look for, "due" or "missed"; return what was found."""
    if event["look_for"] == "missed":
        find = wiring.find_missed(lambda: context.get_remaining_time_in_millis() > LEAST_TIME)
        looked_at = {"looked_at": find()}
        logger.info("swept", extra=looked_at)
        return looked_at
    swept = wiring.sweep_tables()()
    # WaitingTooLongAlarm watches this line, so it is logged before failures are raised.
    told = {"started": swept.started, "longest_wait_seconds": swept.longest_wait_seconds}
    logger.info("swept", extra=told)
    swept.failures.raise_any()
    return {"started": swept.started}
