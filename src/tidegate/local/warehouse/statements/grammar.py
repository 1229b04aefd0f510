"""From the text of one statement to the statement itself."""

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
from tidegate.local.warehouse.language.lexer import Name, Words, split
from tidegate.local.warehouse.statements.alterations import read_alter_table
from tidegate.local.warehouse.statements.control import (
    Accepted,
    Begin,
    Commit,
    Lock,
    Reset,
    Rollback,
    Set,
    Show,
    Vacuum,
)
from tidegate.local.warehouse.statements.copying import read_copy
from tidegate.local.warehouse.statements.definitions import (
    read_comment,
    read_create,
    read_drop,
    read_truncate,
)
from tidegate.local.warehouse.statements.queries import Change, Explain, Query
from tidegate.local.warehouse.statements.unloading import read_unload

REMEMBERED_STATEMENTS = 512
REMEMBERED_BYTES = 100_000

Read = Callable[[Words, str], Statement]


def parse(text: str, database: str) -> Statement:
    """The one statement of a text."""
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
    read = _READERS.get(first.upper)
    if read is None:
        raise SqlError(SYNTAX, f'syntax error at or near "{first.text}"')
    return read(words, database)


_parse_remembered = lru_cache(REMEMBERED_STATEMENTS)(_parse)


def _query(words: Words, database: str) -> Statement:
    return Query(words.text, database)


def _with(words: Words, database: str) -> Statement:
    """WITH begins a query; on MERGE and the like it is refused where their grammar is."""
    return (Change if _main_verb(words) else Query)(words.text, database)


def _main_verb(words: Words) -> str:
    depth = 0
    for token in words.tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "mark" else 0
        if depth == 0 and token.upper in {"MERGE", "INSERT", "UPDATE", "DELETE"}:
            return token.upper
    return ""


def _change(words: Words, database: str) -> Statement:
    return Change(words.text, database)


def _merge(words: Words, database: str) -> Statement:
    if [token.upper for token in words.tokens[-2:]] == ["REMOVE", "DUPLICATES"]:
        raise not_supported_locally("MERGE … REMOVE DUPLICATES")
    return Change(words.text, database)


def _explain(words: Words, database: str) -> Statement:
    text = words.text
    words.accept("VERBOSE")
    return Explain(text, Query(words.rest(), database))


def _begin(words: Words, database: str) -> Statement:
    if words.tokens[0].upper == "START":
        words.expect("TRANSACTION")
    _ = words.accept("WORK") or words.accept("TRANSACTION")
    _transaction_modes(words)
    return Begin(words.text)


def _transaction_modes(words: Words) -> None:
    while not words.done:
        if words.accept("ISOLATION", "LEVEL"):
            level = words.identifier()
            if level in {"read", "repeatable"}:
                words.identifier()
        else:
            words.expect("READ")
            if not words.accept("ONLY"):
                words.expect("WRITE")
        words.accept(",")


def _ended(words: Words) -> None:
    _ = words.accept("WORK") or words.accept("TRANSACTION")
    words.end()


def _commit(words: Words, database: str) -> Statement:
    _ended(words)
    return Commit(words.text)


def _rollback(words: Words, database: str) -> Statement:
    _ended(words)
    return Rollback(words.text)


def _lock(words: Words, database: str) -> Statement:
    words.accept("TABLE")
    return Lock(words.text, _names_to_end(words))


def _names_to_end(words: Words) -> list[Name]:
    names = [words.name()]
    while words.accept(","):
        names.append(words.name())
    words.end()
    return names


def _set(words: Words, database: str) -> Statement:
    _ = (
        words.accept("SESSION", "CHARACTERISTICS")
        or words.accept("SESSION")
        or words.accept("LOCAL")
    )
    name = words.identifier()
    if name == "time":
        words.expect("ZONE")
        return Set(words.text, "timezone", _setting(words))
    if not words.accept("TO"):
        words.expect("=")
    return Set(words.text, name, _setting(words))


def _setting(words: Words) -> str:
    parts = [words.take().value]
    while not words.done:
        parts.append(words.take().value)
    return (
        "".join(parts) if len(parts) == 1 or parts[0] == "-" else " ".join(parts).replace(" ,", ",")
    )


def _setting_name(words: Words) -> str:
    if words.accept("TIME", "ZONE"):
        return "timezone"
    name = words.identifier()
    words.end()
    return name


def _reset(words: Words, database: str) -> Statement:
    return Reset(words.text, _setting_name(words))


def _show(words: Words, database: str) -> Statement:
    return Show(words.text, _setting_name(words))


def _vacuum(words: Words, database: str) -> Statement:
    for option in ("FULL", "SORT", "DELETE", "REINDEX", "RECLUSTER"):
        if words.accept(option):
            words.accept("ONLY")
    tables = [] if words.done else [words.name()]
    _vacuum_threshold(words)
    return Vacuum(words.text, "VACUUM", tables)


def _vacuum_threshold(words: Words) -> None:
    if words.accept("TO"):
        words.number()
        words.expect("PERCENT")
    words.accept("BOOST")
    words.end()


def _analyze(words: Words, database: str) -> Statement:
    words.accept("VERBOSE")
    tables = [] if words.done else [words.name()]
    return Accepted(words.text, "ANALYZE", tables)


def _accepted(words: Words, database: str) -> Statement:
    return Accepted(words.text, words.tokens[0].upper)


def _create(words: Words, database: str) -> Statement:
    return read_create(words, database)


def _alter(words: Words, database: str) -> Statement:
    if words.accept("TABLE"):
        return read_alter_table(words, database)
    if words.peek() in {"USER", "GROUP", "ROLE", "SCHEMA", "DEFAULT"}:
        return Accepted(words.text, f"ALTER {words.peek()}")
    raise words.unexpected()


def _absent(words: Words, database: str) -> Statement:
    raise not_supported_locally(words.tokens[0].upper)


_READERS: dict[str, Read] = {
    "SELECT": _query,
    "WITH": _with,
    "(": _query,
    "INSERT": _change,
    "UPDATE": _change,
    "DELETE": _change,
    "MERGE": _merge,
    "EXPLAIN": _explain,
    "BEGIN": _begin,
    "START": _begin,
    "COMMIT": _commit,
    "END": _commit,
    "ROLLBACK": _rollback,
    "ABORT": _rollback,
    "LOCK": _lock,
    "SET": _set,
    "RESET": _reset,
    "SHOW": _show,
    "VACUUM": _vacuum,
    "ANALYZE": _analyze,
    "ANALYSE": _analyze,
    "GRANT": _accepted,
    "REVOKE": _accepted,
    "CREATE": _create,
    "ALTER": _alter,
    "DROP": lambda words, database: read_drop(words),
    "TRUNCATE": lambda words, database: read_truncate(words),
    "COMMENT": lambda words, database: read_comment(words),
    "COPY": lambda words, database: read_copy(words),
    "UNLOAD": lambda words, database: read_unload(words, database),
    "CALL": _absent,
    "DECLARE": _absent,
    "FETCH": _absent,
    "CLOSE": _absent,
    "PREPARE": _absent,
    "EXECUTE": _absent,
    "DEALLOCATE": _absent,
    "CANCEL": _absent,
}
