"""The interface of a statement: its name, its tables, its columns and how to run it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

from tidegate.local.warehouse.engine.session import Session
from tidegate.local.warehouse.language.lexer import Name
from tidegate.local.warehouse.language.oids import Field, Parameter


class Block(Enum):
    """Where a statement may run: outside of a block, inside, or even in a failed block."""

    ANYWHERE = "anywhere"
    OUTSIDE = "outside of a transaction block only"
    INSIDE = "inside of a transaction block only"
    EVEN_FAILED = "even in a failed block, which it ends"


@dataclass
class Outcome:
    """The outcome of a statement: its command tag, and for a query its columns and rows."""

    tag: str
    fields: Sequence[Field] | None = None
    rows: Iterable[Sequence[Sequence[Any]]] = field(default=())


class Statement(ABC):
    """One parsed and checked statement that any session can run."""

    block: ClassVar[Block] = Block.ANYWHERE
    kind: str
    text: str
    parameters: int = 0

    @property
    def label(self) -> str:
        """The statement's name in messages."""
        return self.kind

    def names(self) -> Sequence[Name]:
        """Returns the tables and views that it touches, the target first."""
        return ()

    def describe(self, session: Session, oids: Sequence[int]) -> Sequence[Field] | None:
        """Returns the columns of its result, None if it has no result."""
        return None

    @abstractmethod
    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Runs the statement."""
