"""Runs a statement in a session: checks that it may run, describes its columns, executes it.

The caller of `execute` takes the rows and then calls `session.finish`.
"""

from collections.abc import Sequence

import duckdb

from tidegate.local.warehouse.catalog.relations import Relation
from tidegate.local.warehouse.engine.session import Session
from tidegate.local.warehouse.engine.statement import Block, Outcome, Statement
from tidegate.local.warehouse.language.failures import SqlError, not_understood
from tidegate.local.warehouse.language.lexer import Name
from tidegate.local.warehouse.language.oids import Field, Parameter
from tidegate.local.warehouse.language.translation import Circumstance, translate


def admit(session: Session, statement: Statement) -> None:
    """Raises if the statement may not run in the session's block, or outside of a block."""
    if statement.block is not Block.EVEN_FAILED:
        session.transaction.refuse_when_failed()
    in_block = session.transaction.in_block
    if statement.block is Block.OUTSIDE and in_block:
        message = f"{statement.label} cannot run inside a transaction block"
        raise SqlError("25001", message)
    if statement.block is Block.INSIDE and not in_block:
        message = f"{statement.label} may only be used in transaction blocks"
        raise SqlError("25P01", message)


def describe(session: Session, statement: Statement, oids: Sequence[int]) -> Sequence[Field] | None:
    """Returns the columns of the statement's result, None if it has no result."""
    admit(session, statement)
    with session.stoppable():
        try:
            return statement.describe(session, oids)
        except Exception as error:
            raise _translated(session, statement, error) from error


def execute(session: Session, statement: Statement, parameters: Sequence[Parameter]) -> Outcome:
    """Starts a statement; its outcome computes rows as you take them."""
    admit(session, statement)
    session.begin(statement.kind, statement.text)
    try:
        return statement.run(session, parameters)
    except Exception as error:
        raise fail(session, statement, error) from error


def fail(session: Session, statement: Statement, error: Exception) -> SqlError:
    """Ends a failed statement and returns Redshift's error for it."""
    told = _translated(session, statement, error)
    session.abort()
    session.finish(error=told.detail or told.message)
    return told


def _translated(session: Session, statement: Statement, error: Exception) -> SqlError:
    if session.interruption.reason is not None:
        return session.interruption.reason
    if isinstance(error, SqlError):
        return error
    if not isinstance(error, duckdb.Error):
        return not_understood(error)
    names = statement.names()
    target = _find_quietly(session, names[0]) if names else None
    places = [name.table for name in names]
    return translate(error, Circumstance(places, target.oid if target else 0, session.pid))


def _find_quietly(session: Session, name: Name) -> Relation | None:
    try:
        return session.catalog.find(name)
    except duckdb.Error:
        return None
