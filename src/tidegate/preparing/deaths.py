"""Tells from an error whether prepare_chunk may have died of the files it read."""

import builtins

import duckdb

from tidegate.batch.plan import Death
from tidegate.runs import read_cause

_LONGEST_MESSAGE = 200  # characters
# Lambda's errors for used-up memory or time, or a crashed process. It wrote their messages itself,
# so these repeat no values:
# https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
_LAMBDA_ERRORS = ("Runtime.", "Sandbox.", "Lambda.Unknown")
# These come from the network or the deployment, not from a file.
_OTHER_FAULTS = (ConnectionError, TimeoutError, ImportError)
_NAMELESS = {"error", "Error"}  # classes of zlib, csv and duckdb


def death_of(chunk: int, error: str, cause: str) -> Death | None:
    """The death of a chunk, if `error` is one that its files may have caused.

    Messages of Python and DuckDB may repeat values of rows, so only the error's name is kept.
    """
    if error.startswith(_LAMBDA_ERRORS):
        return Death(chunk=chunk, error=error, message=read_cause(cause)[:_LONGEST_MESSAGE])
    return Death(chunk=chunk, error=error) if _may_be_file_fault(error) else None


def _may_be_file_fault(error: str) -> bool:
    found = getattr(builtins, error, None) or getattr(duckdb, error, None)
    if isinstance(found, type) and issubclass(found, Exception):
        return not issubclass(found, _OTHER_FAULTS)
    return error in _NAMELESS
