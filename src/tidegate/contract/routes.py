"""Routes: the few facts of each contract that Tidegate keeps in memory for all tables at once."""

from datetime import timedelta
from typing import NamedTuple


class Route(NamedTuple):
    """Which objects belong to a table, which of them are snapshots, and how long they may wait.

    `is_ordered` is true if values in the rows order the changes, and files only break ties. Keep a
    route small: there may be ten thousand.
    """

    table: str
    prefix: str
    snapshot: tuple[str, ...]
    write: str
    is_ordered: bool
    freshness: timedelta
