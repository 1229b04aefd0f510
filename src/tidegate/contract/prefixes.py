"""A prefix tree: finds the owner of an S3 key by walking down its folders."""

from collections.abc import Iterator
from typing import Generic, TypeVar

Owner = TypeVar("Owner")


class PrefixTree(Generic[Owner]):
    """The owners of folders. A folder is known by its whole path, such as `dms/sales/orders/`."""

    def __init__(self) -> None:
        self._owners: dict[str, Owner] = {}
        self._below: dict[str, Owner] = {}

    def add(self, prefix: str, owner: Owner) -> None:
        """Give the folder `prefix` to `owner`, unless it has an owner already."""
        self._owners.setdefault(prefix, owner)
        for folder in _folders(prefix):
            self._below.setdefault(folder, owner)

    def owner_of(self, key: str) -> Owner | None:
        """Return the owner of the folder that holds `key`, or of a folder above it."""
        for folder in _folders(key):
            if folder in self._owners:
                return self._owners[folder]
        return None

    def overlapping(self, prefix: str) -> Owner | None:
        """Return an owner of the folder `prefix`, of a folder above it or of one below it."""
        return self.owner_of(prefix) or self._below.get(prefix)


def _folders(key: str) -> Iterator[str]:
    end = key.find("/") + 1
    while end:
        yield key[:end]
        end = key.find("/", end) + 1
