"""Routing: finds the table of an object, and its place in source order."""

from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase

from tidegate.batch.objects import LandedFile, LandedObject
from tidegate.contract import Route
from tidegate.contract.prefixes import PrefixTree
from tidegate.contract.source import DMS_TABLE_PREFIX
from tidegate.landing.markers import is_marker
from tidegate.position import CHANGE, SNAPSHOT, file_order


class Router:
    """Finds the table of an object by the prefix of its key. Prefixes never overlap."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: PrefixTree[Route] = PrefixTree()
        for route in routes:
            self._routes.add(route.prefix, route)

    def route_of(self, key: str) -> Route | None:
        """Return the route of the table that claims `key`, or None."""
        return self._routes.owner_of(key)

    def by_route(
        self, landed: Iterable[LandedObject]
    ) -> list[tuple[Route | None, list[LandedObject]]]:
        """Group `landed` by route; None for objects that no contract claims. Drops markers."""
        claimed: dict[Route | None, list[LandedObject]] = defaultdict(list)
        for one in landed:
            if is_data(one.key):
                claimed[self.route_of(one.key)].append(one)
        return list(claimed.items())


def is_data(key: str) -> bool:
    """Tell whether an object holds data: it is neither a marker nor part of a DMS control table.

    DMS writes its control tables, awsdms_*, beside the tables that it copies:
    https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Task.ControlTables.html
    """
    folders = key.split("/")[:-1]
    return not is_marker(key) and not any(name.startswith(DMS_TABLE_PREFIX) for name in folders)


def place(landed: LandedObject, route: Route) -> LandedFile:
    """Return `landed` as a file of the route's table, with its kind and its order."""
    name = landed.key.rpartition("/")[2]
    whole = any(fnmatchcase(name, pattern) for pattern in route.snapshot)
    kind = SNAPSHOT if whole or route.write == "replace" else CHANGE
    # A snapshot that lands again is a new one, even if its first landing is still pending.
    landed_at = landed.landed_at if route.write == "replace" else None
    order = file_order(landed.key, route.prefix, landed_at)
    return LandedFile(**landed.model_dump(), kind=kind, order=order)


def counts_again(route: Route, file: LandedFile) -> bool:
    """Tell whether an applied `file` that lands again unchanged counts as newer than all since."""
    return route.write != "append" and (file.kind == SNAPSHOT or not route.is_ordered)
