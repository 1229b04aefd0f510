"""prepare_chunk: one chunk's files become typed Parquet; what is refused goes to quarantine."""

from typing import Any

from aws_lambda_powertools import Logger

from tidegate import wiring

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take a plan's key and a chunk's number; give the counts of what was prepared."""
    prepared = wiring.prepare_chunk()(event["plan"], event["chunk"])
    for file in prepared.files:
        if file.quarantined or file.refused:
            logger.warning("refused", extra=file.model_dump())
    if prepared.unread:
        logger.warning("columns left unread", extra={**event, "columns": prepared.unread})
    counts = {"files": len(prepared.files), "rows": prepared.rows}
    logger.info("prepared", extra={**event, **counts})
    return counts
