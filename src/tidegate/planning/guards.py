"""Guards in a plan: how many rows a batch may remove before a person has to release it."""

from collections.abc import Callable

from tidegate.batch.plan import DeleteGuard, RefreshFloor, Statement
from tidegate.contract import Contract
from tidegate.contract.limits import Limit
from tidegate.planning.placeholders import Attempt

LEAST_ROWS = 1_000  # a table of up to that size may lose any percentage
_COUNT = {
    "upsert": "control/count_rows",
    "soft_delete": "control/count_living_rows",
    "history": "control/count_current_rows",
    "append": "control/count_rows",
    "replace": "control/count_rows",
}


def refresh_floor(
    contract: Contract, attempt: Attempt, statement: Callable[[str], Statement]
) -> RefreshFloor | None:
    """Return how many rows a full refresh must make; None for other batches, and with force."""
    if attempt.force or not attempt.refreshes:
        return None
    floor = contract.refresh_floor
    told = f"fewer than refresh_floor ({floor}) asks for"
    count_rows = statement(_COUNT[contract.write])
    return RefreshFloor(rows=_rows(floor), share=_share(floor), told=told, count_rows=count_rows)


def max_deletes(
    contract: Contract, attempt: Attempt, statement: Callable[[str], Statement]
) -> DeleteGuard | None:
    """Return how many rows a merge may delete; None if there is no limit."""
    limit = contract.max_deletes
    if limit is None or contract.write == "append" or attempt.refreshes or attempt.force:
        return None
    return DeleteGuard(
        rows=_rows(limit),
        share=_share(limit),
        least_rows=LEAST_ROWS if limit.is_percentage else 0,
        is_net=contract.write == "replace",
        told=f"more than max_deletes ({limit}) allows",
        count_rows=statement(_COUNT[contract.write]),
    )


def _rows(limit: Limit) -> int:
    return 0 if limit.is_percentage else limit.number


def _share(limit: Limit) -> float:
    return limit.number / 100 if limit.is_percentage else 0.0
