"""Which errors say that prepare_chunk died of what it read, and what may be told of them."""

import builtins

import duckdb

from tidegate.batch.plan import Death
from tidegate.runs import read_cause

_LONGEST_MESSAGE = 200  # characters
# Of Lambda: memory or time was used up, or the process crashed. Their messages are its own.
# https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
_OF_LAMBDA = ("Runtime.", "Sandbox.", "Lambda.Unknown")
# Of the network, not of a file.
_PASSING = (ConnectionError, TimeoutError, ImportError)
_NAMELESS = {"error", "Error"}  # of zlib, csv and duckdb


def death_of(chunk: int, error: str, cause: str) -> Death | None:
    """The death of a chunk, if `error` says that it may have died of its files.

    What Python or DuckDB say of an error may repeat values; so only its name is kept.
    """
    if error.startswith(_OF_LAMBDA):
        return Death(chunk=chunk, error=error, message=read_cause(cause)[:_LONGEST_MESSAGE])
    return Death(chunk=chunk, error=error) if _is_of_the_file(error) else None


def _is_of_the_file(error: str) -> bool:
    found = getattr(builtins, error, None) or getattr(duckdb, error, None)
    if isinstance(found, type) and issubclass(found, Exception):
        return not issubclass(found, _PASSING)
    return error in _NAMELESS
