"""What every statement is to the session that runs it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

from tidegate.local.warehouse.engine.session import Session
from tidegate.local.warehouse.language.lexer import Name
from tidegate.local.warehouse.language.oids import Field, Parameter


class Block(Enum):
    """Where a statement may run."""

    ANYWHERE = "anywhere"
    OUTSIDE = "outside of a transaction block only"
    INSIDE = "inside of a transaction block only"
    EVEN_FAILED = "even in a failed block, which it ends"


@dataclass
class Outcome:
    """What a statement gave: its tag, and for a query its columns and rows."""

    tag: str
    fields: Sequence[Field] | None = None
    rows: Iterable[Sequence[Sequence[Any]]] = field(default=())


class Statement(ABC):
    """One statement, read and checked, that any session can run."""

    block: ClassVar[Block] = Block.ANYWHERE
    kind: str
    text: str
    parameters: int = 0

    @property
    def label(self) -> str:
        """What messages call the statement."""
        return self.kind

    def names(self) -> Sequence[Name]:
        """The tables and views it touches, the target first."""
        return ()

    def describe(self, session: Session, oids: Sequence[int]) -> Sequence[Field] | None:
        """The columns of its result; none when it has no result."""
        return None

    @abstractmethod
    def run(self, session: Session, parameters: Sequence[Parameter]) -> Outcome:
        """Does it."""
