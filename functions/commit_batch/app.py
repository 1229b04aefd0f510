"""commit_batch: records in the ledger that a batch is applied, and emits its counts as metrics."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from tidegate import wiring

logger = Logger()
metrics = Metrics()


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Take the key of a plan; return the counts of its batch."""
    plan, outcome, files = wiring.commit_batch()(event["plan"])
    counts = files | {name: n for name, n in outcome if name.startswith("rows_")}
    metrics.add_dimension(name="table", value=plan.table)
    for name, count in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
    logger.info("committed", extra={"table": plan.table, "batch": plan.batch, **counts})
    return counts
