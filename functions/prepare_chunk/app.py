"""prepare_chunk: turns the files of a chunk into typed Parquet, and quarantines bad rows."""

from typing import Any

from aws_lambda_powertools import Logger

from tidegate import wiring

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take the key of a plan and the number of a chunk; return how many files and rows it has.

    An event with `failure` reports that an earlier call for this chunk died; that is noted.
    """
    if "failure" in event:
        return note_death(event)
    prepared = wiring.prepare_chunk()(event["plan"], event["chunk"])
    for file in prepared.files:
        if file.quarantined or file.refused:
            logger.warning("refused", extra=file.model_dump())
    if prepared.unread:
        logger.warning("columns left unread", extra={**event, "columns": prepared.unread})
    counts = {"files": len(prepared.files), "rows": prepared.rows}
    logger.info("prepared", extra={**event, **counts})
    return counts


def note_death(event: dict[str, Any]) -> dict[str, Any]:
    """Note that a chunk died, if its files may be the cause."""
    error, cause = event["failure"]["Error"], event["failure"].get("Cause", "")
    death = wiring.prepare_chunk().note_death(event["plan"], event["chunk"], error, cause)
    # The cause may repeat values of rows, so it is not logged.
    told = {"plan": event["plan"], "chunk": event["chunk"], "error": error}
    logger.warning("died", extra={**told, "noted": death is not None})
    return {"noted": death is not None}
