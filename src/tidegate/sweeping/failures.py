"""What failed of a sweep, table by table, so that no table hides behind another's failure."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tidegate.errors import SweepFailedError


class TableFailures:
    """Lets each table fail alone, and tells of all of them at the end."""

    def __init__(self) -> None:
        self._causes: dict[str, Exception] = {}

    @contextmanager
    def of(self, table: str) -> Iterator[None]:
        """Note what is raised within as the failure of `table`, and go on."""
        try:
            yield
        except Exception as error:
            self.add({table: error})

    def add(self, causes: Mapping[str, Exception]) -> None:
        """Note failures, by table; of each table the first counts."""
        for table, error in causes.items():
            self._causes.setdefault(table, error)

    def raise_any(self) -> None:
        """Tell of what was noted.

        Raises:
            SweepFailedError: something was; names the tables, each with its cause.
        """
        if self._causes:
            causes = "; ".join(f"{table}: {_say(one)}" for table, one in self._causes.items())
            raise SweepFailedError(f"not swept, and looked at again the next time: {causes}")


def _say(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
