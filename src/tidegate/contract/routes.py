"""What must be known of every table at once: little of each, for there may be ten thousand."""

from datetime import timedelta
from typing import NamedTuple


class Route(NamedTuple):
    """Which objects are a table's, what they are, and how long they may wait.

    `is_ordered` is whether values of the rows order changes, before their files do.
    """

    table: str
    prefix: str
    snapshot: tuple[str, ...]
    write: str
    is_ordered: bool
    freshness: timedelta
