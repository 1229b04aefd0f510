"""The deployed contracts, as the ledger lists them, and how far the last look at S3 came."""

from collections.abc import Iterable

from tidegate.ledger.items import LedgerTable

TABLES = "TABLES"
SWEEP, CURSOR = "SWEEP", "CURSOR"


class Catalogue:
    """Which tables Tidegate keeps; written by sweep_tables, read by the command line."""

    def __init__(self, table: LedgerTable) -> None:
        self._items = table

    def tables(self) -> list[str]:
        """The tables of the deployed contracts, by name."""
        return [item["sk"] for item in self._items.query(TABLES)]

    def publish(self, tables: Iterable[str]) -> None:
        """Make the list equal to `tables`, writing only what differs."""
        wanted = set(tables)
        listed = set(self.tables())
        for table in sorted(wanted - listed):
            self._items.put({"pk": TABLES, "sk": table})
        for table in sorted(listed - wanted):
            self._items.delete(TABLES, table)

    def cursor(self) -> str:
        """The key after which the next look for missed objects begins; empty for the first."""
        item = self._items.get(SWEEP, CURSOR) or {}
        return str(item.get("key", ""))

    def move_cursor(self, key: str) -> None:
        """Let the next look for missed objects begin after `key`."""
        self._items.put({"pk": SWEEP, "sk": CURSOR, "key": key})
