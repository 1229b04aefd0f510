"""Finds a statement's module by the first word of its text; that module reads the rest."""

from collections.abc import Callable
from functools import lru_cache

from tidegate.local.warehouse.dialect.refusals import refuse_too_long
from tidegate.local.warehouse.engine.statement import Statement
from tidegate.local.warehouse.language.failures import (
    SYNTAX,
    SqlError,
    not_supported_locally,
    not_understood,
)
from tidegate.local.warehouse.language.lexer import Words, split
from tidegate.local.warehouse.statements.alterations import read_alter_table
from tidegate.local.warehouse.statements.control import (
    Accepted,
    read_analyze,
    read_begin,
    read_commit,
    read_lock,
    read_reset,
    read_rollback,
    read_set,
    read_show,
    read_vacuum,
)
from tidegate.local.warehouse.statements.copying import read_copy
from tidegate.local.warehouse.statements.definitions import (
    read_comment,
    read_create,
    read_drop,
    read_truncate,
)
from tidegate.local.warehouse.statements.queries import (
    read_change,
    read_explain,
    read_merge,
    read_query,
    read_with,
)
from tidegate.local.warehouse.statements.unloading import read_unload

REMEMBERED_STATEMENTS = 512
REMEMBERED_BYTES = 100_000


def parse(text: str, database: str) -> Statement:
    """Parses a text that holds one statement."""
    refuse_too_long(text)
    read = _parse if len(text) > REMEMBERED_BYTES else _parse_remembered
    try:
        return read(text, database)
    except SqlError:
        raise
    except Exception as error:
        raise not_understood(error) from error


def _parse(text: str, database: str) -> Statement:
    statements = split(text)
    if len(statements) > 1:
        message = "cannot insert multiple commands into a prepared statement"
        raise SqlError(SYNTAX, message)
    words = Words(statements[0])
    first = words.take()
    if read := _READERS.get(first.upper):
        return read(words)
    if read_sql := _SQL_READERS.get(first.upper):
        return read_sql(words, database)
    raise SqlError(SYNTAX, f'syntax error at or near "{first.text}"')


_parse_remembered = lru_cache(REMEMBERED_STATEMENTS)(_parse)


def _read_alter(words: Words, database: str) -> Statement:
    if words.accept("TABLE"):
        return read_alter_table(words, database)
    if words.peek() in {"USER", "GROUP", "ROLE", "SCHEMA", "DEFAULT"}:
        return Accepted(words.text, f"ALTER {words.peek()}")
    raise words.unexpected()


def _read_accepted(words: Words) -> Statement:
    return Accepted(words.text, words.tokens[0].upper)


def _refuse(words: Words) -> Statement:
    raise not_supported_locally(words.tokens[0].upper)


# Statements that contain a query or an expression. Their readers need the database's name, which
# qualified names may start with.
_SQL_READERS: dict[str, Callable[[Words, str], Statement]] = {
    "SELECT": read_query,
    "WITH": read_with,
    "(": read_query,
    "INSERT": read_change,
    "UPDATE": read_change,
    "DELETE": read_change,
    "MERGE": read_merge,
    "EXPLAIN": read_explain,
    "CREATE": read_create,
    "ALTER": _read_alter,
    "UNLOAD": read_unload,
}
_READERS: dict[str, Callable[[Words], Statement]] = {
    "BEGIN": read_begin,
    "START": read_begin,
    "COMMIT": read_commit,
    "END": read_commit,
    "ROLLBACK": read_rollback,
    "ABORT": read_rollback,
    "LOCK": read_lock,
    "SET": read_set,
    "RESET": read_reset,
    "SHOW": read_show,
    "VACUUM": read_vacuum,
    "ANALYZE": read_analyze,
    "ANALYSE": read_analyze,
    "GRANT": _read_accepted,
    "REVOKE": _read_accepted,
    "DROP": read_drop,
    "TRUNCATE": read_truncate,
    "COMMENT": read_comment,
    "COPY": read_copy,
    "CALL": _refuse,
    "DECLARE": _refuse,
    "FETCH": _refuse,
    "CLOSE": _refuse,
    "PREPARE": _refuse,
    "EXECUTE": _refuse,
    "DEALLOCATE": _refuse,
    "CANCEL": _refuse,
}
