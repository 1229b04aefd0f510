"""Statements about the session: transactions, locks, settings, and statements without effect."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tidegate.local.warehouse.engine.session import Session
from tidegate.local.warehouse.engine.statement import Block, Outcome, Statement
from tidegate.local.warehouse.language.failures import SqlError
from tidegate.local.warehouse.language.lexer import Name, Words
from tidegate.local.warehouse.language.oids import VARCHAR, Field, Parameter


@dataclass
class Begin(Statement):
    """BEGIN; an isolation level has no effect, as in Redshift."""

    text: str
    kind: str = "BEGIN"

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Opens a block, or warns that one is already open."""
        if session.transaction.in_block:
            session.notify("25001", "there is already a transaction in progress")
        else:
            session.transaction.begin()
        return Outcome("BEGIN")


@dataclass
class Commit(Statement):
    """COMMIT or END."""

    block: ClassVar[Block] = Block.EVEN_FAILED
    text: str
    kind: str = "COMMIT"

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Commits; rolls a failed block back instead and returns the tag ROLLBACK."""
        if not session.transaction.in_block:
            session.notify("25P01", "there is no transaction in progress")
        return Outcome("COMMIT" if session.transaction.commit() else "ROLLBACK")


@dataclass
class Rollback(Statement):
    """ROLLBACK or ABORT."""

    block: ClassVar[Block] = Block.EVEN_FAILED
    text: str
    kind: str = "ROLLBACK"

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Rolls back."""
        if not session.transaction.in_block:
            session.notify("25P01", "there is no transaction in progress")
        session.transaction.rollback()
        return Outcome("ROLLBACK")


@dataclass
class Lock(Statement):
    """LOCK: keeps other sessions from reading or writing the tables until the block ends."""

    block: ClassVar[Block] = Block.INSIDE
    text: str
    tables: list[Name]
    kind: str = "LOCK"

    def names(self) -> Sequence[Name]:
        """Returns the tables that it locks."""
        return self.tables

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Waits for the tables; does not take the snapshot."""
        for name in self.tables:
            if session.catalog.get(name).view_sql is not None:
                raise SqlError("42809", f'"{name.table}" is not a table')
        session.lock_exclusively(self.tables)
        return Outcome("LOCK TABLE")


@dataclass
class Set(Statement):
    """SET name TO value."""

    text: str
    name: str
    value: str
    kind: str = "SET"

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Sets the value for the session."""
        session.settings.set(self.name, self.value)
        return Outcome("SET")


@dataclass
class Reset(Statement):
    """RESET name, or RESET ALL."""

    text: str
    name: str
    kind: str = "RESET"

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Restores the value that the session started with."""
        session.settings.reset(self.name)
        return Outcome("RESET")


@dataclass
class Show(Statement):
    """SHOW name, or SHOW ALL."""

    text: str
    name: str
    kind: str = "SHOW"

    def describe(self, session: Session, oids: Sequence[int]) -> Sequence[Field] | None:
        """Returns one column named after the setting; for ALL, columns for name and setting."""
        names = ("name", "setting") if self.name == "all" else (self.name,)
        return [Field(name, VARCHAR) for name in names]

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Returns the value, or all settings."""
        settings = session.settings
        rows = list(settings.items()) if self.name == "all" else [(settings.get(self.name),)]
        return Outcome("SHOW", self.describe(session, ()), [rows])


@dataclass
class Accepted(Statement):
    """A statement without effect here: ANALYZE, GRANT, REVOKE, and those for users and groups."""

    text: str
    kind: str
    tables: Sequence[Name] = ()

    def names(self) -> Sequence[Name]:
        """Returns the tables that it names; they must exist."""
        return self.tables

    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Checks that the tables exist."""
        for name in self.tables:
            session.catalog.get(name)
        return Outcome(self.kind)


@dataclass
class Vacuum(Accepted):
    """VACUUM: has no effect, because DuckDB frees space by itself."""

    block: ClassVar[Block] = Block.OUTSIDE


def read_begin(words: Words) -> Statement:
    """Reads the words after BEGIN or START TRANSACTION."""
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


def read_commit(words: Words) -> Statement:
    """Reads the words after COMMIT or END."""
    _ended(words)
    return Commit(words.text)


def read_rollback(words: Words) -> Statement:
    """Reads the words after ROLLBACK or ABORT."""
    _ended(words)
    return Rollback(words.text)


def _ended(words: Words) -> None:
    _ = words.accept("WORK") or words.accept("TRANSACTION")
    words.end()


def read_lock(words: Words) -> Statement:
    """Reads the words after LOCK."""
    words.accept("TABLE")
    return Lock(words.text, _names_to_end(words))


def _names_to_end(words: Words) -> list[Name]:
    names = [words.name()]
    while words.accept(","):
        names.append(words.name())
    words.end()
    return names


def read_set(words: Words) -> Statement:
    """Reads the words after SET."""
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


def read_reset(words: Words) -> Statement:
    """Reads the words after RESET."""
    return Reset(words.text, _setting_name(words))


def read_show(words: Words) -> Statement:
    """Reads the words after SHOW."""
    return Show(words.text, _setting_name(words))


def read_vacuum(words: Words) -> Statement:
    """Reads the words after VACUUM."""
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


def read_analyze(words: Words) -> Statement:
    """Reads the words after ANALYZE."""
    words.accept("VERBOSE")
    tables = [] if words.done else [words.name()]
    return Accepted(words.text, "ANALYZE", tables)
