"""Routing: which table an object belongs to, and where it stands in source order."""

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
    """Finds the table of an object by the prefix of its key; prefixes never overlap."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: PrefixTree[Route] = PrefixTree()
        for route in routes:
            self._routes.add(route.prefix, route)

    def route_of(self, key: str) -> Route | None:
        """The route of the table that claims `key`, if any."""
        return self._routes.owner_of(key)

    def by_route(
        self, landed: Iterable[LandedObject]
    ) -> list[tuple[Route | None, list[LandedObject]]]:
        """What holds data of `landed`, by the route of its table; by None if it has none."""
        claimed: dict[Route | None, list[LandedObject]] = defaultdict(list)
        for one in landed:
            if is_data(one.key):
                claimed[self.route_of(one.key)].append(one)
        return list(claimed.items())


def is_data(key: str) -> bool:
    """Whether an object holds data: no marker, no control table of DMS.

    DMS keeps tables awsdms_* of its own beside those it copies:
    https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Task.ControlTables.html
    """
    folders = key.split("/")[:-1]
    return not is_marker(key) and not any(name.startswith(DMS_TABLE_PREFIX) for name in folders)


def place(landed: LandedObject, route: Route) -> LandedFile:
    """`landed` as a file of the route's table, with its kind and its order."""
    name = landed.key.rpartition("/")[2]
    whole = any(fnmatchcase(name, pattern) for pattern in route.snapshot)
    kind = SNAPSHOT if whole or route.write == "replace" else CHANGE
    # A snapshot that returns is one more, even if it was landed before and still waits.
    landed_at = landed.landed_at if route.write == "replace" else None
    order = file_order(landed.key, route.prefix, landed_at)
    return LandedFile(**landed.model_dump(), kind=kind, order=order)


def counts_again(route: Route, file: LandedFile) -> bool:
    """Whether `file`, which was applied, is newer than what came since when it lands as it was."""
    return route.write != "append" and (file.kind == SNAPSHOT or not route.is_ordered)
