"""Tells from an error whether prepare_chunk may have died of the files it read."""

import builtins

import duckdb

from tidegate.batch.plan import Death
from tidegate.runs import read_cause

_LONGEST_MESSAGE = 200  # characters
# Lambda's errors for used-up memory or time, or a crashed process. It wrote their messages itself,
# so these repeat no values:
# https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
_OF_LAMBDA = ("Runtime.", "Sandbox.", "Lambda.Unknown")
# These come from the network, not from a file.
_PASSING = (ConnectionError, TimeoutError, ImportError)
_NAMELESS = {"error", "Error"}  # classes of zlib, csv and duckdb


def death_of(chunk: int, error: str, cause: str) -> Death | None:
    """The death of a chunk, if `error` is one that its files may have caused.

    Messages of Python and DuckDB may repeat values of rows, so only the error's name is kept.
    """
    if error.startswith(_OF_LAMBDA):
        return Death(chunk=chunk, error=error, message=read_cause(cause)[:_LONGEST_MESSAGE])
    return Death(chunk=chunk, error=error) if _is_of_the_file(error) else None


def _is_of_the_file(error: str) -> bool:
    found = getattr(builtins, error, None) or getattr(duckdb, error, None)
    if isinstance(found, type) and issubclass(found, Exception):
        return not issubclass(found, _PASSING)
    return error in _NAMELESS
