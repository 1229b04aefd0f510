"""Collects the failures of a sweep by table, so that one failure does not hide another."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tidegate.errors import SweepFailedError


class TableFailures:
    """Lets each table fail alone, and raises all failures at the end."""

    def __init__(self) -> None:
        self._causes: dict[str, Exception] = {}

    @contextmanager
    def of(self, table: str) -> Iterator[None]:
        """Note an exception of the body as the failure of `table`, and go on."""
        try:
            yield
        except Exception as error:
            self.add({table: error})

    def add(self, causes: Mapping[str, Exception]) -> None:
        """Note failures by table; the first failure of a table counts."""
        for table, error in causes.items():
            self._causes.setdefault(table, error)

    def raise_any(self) -> None:
        """Raise the failures that were noted, if there are any.

        Raises:
            SweepFailedError: names the tables, each with its cause.
        """
        if self._causes:
            causes = "; ".join(f"{table}: {_say(one)}" for table, one in self._causes.items())
            raise SweepFailedError(
                f"these tables could not be swept; the next sweep tries them again: {causes}"
            )


def _say(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
