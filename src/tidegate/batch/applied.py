"""What a table was last loaded with, and what of its contract may not change after that."""

from pydantic import BaseModel, ConfigDict

from tidegate.column_types import ColumnType
from tidegate.comparison import Comparison
from tidegate.contract import Column, Contract
from tidegate.contract.sequence import Order
from tidegate.contract.widening import can_hold
from tidegate.contract.writing import BY_KEY, truncates
from tidegate.errors import ContractError
from tidegate.position import SPELLING, keeps_spelling

# Types whose values have the same text in a position.
_SAME_ORDER = {"smallint": "integer", "bigint": "integer", "char": "varchar"}


class AppliedContract(BaseModel):
    """What the ledger keeps of the contract of the last applied batch.

    `columns` are all of them with their types, in their order, by which partial rows know them;
    `evolved` are those that files brought, `since` says from when on, in seconds since 1970, there
    are those that came later. `spelling` is that of positions.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    write: str
    partial: bool
    key: list[str]
    sequence: dict[str, str]
    truncates: bool = False
    track: list[str] = []
    evolved: list[Column] = []
    columns: list[tuple[str, str]] = []
    since: dict[str, int] = {}
    spelling: int = 1


def applied_contract(
    contract: Contract,
    evolved: list[Column],
    before: AppliedContract | None = None,
    since: dict[str, int] | None = None,
) -> AppliedContract:
    """What is to be kept of `contract`, to which `evolved` belong already.

    `before` is what was kept, if not all rows are replaced: then it says how they are ordered.
    """
    if before:
        kept = applied_contract(contract, evolved, since=since)
        return kept.model_copy(update={"sequence": before.sequence})
    return AppliedContract(
        write=contract.write,
        partial=contract.partial,
        key=sorted(contract.key) if contract.write in BY_KEY else [],
        sequence={name: _order(order) for name, order in contract.order_by.items()},
        truncates=truncates(contract),
        track=sorted(contract.track or []),
        evolved=evolved,
        columns=[(column.name, str(column.type)) for column in contract.columns],
        since=since or {},
        spelling=SPELLING,
    )


def columns_since(
    contract: Contract, added: list[str], before: AppliedContract | None, now: int
) -> dict[str, int]:
    """From when on there are the columns of `contract` that came after it was first applied.

    `added` are those that the files of this batch brought.
    """
    if before is None:
        return dict.fromkeys(added, now)
    first = {name for name, _ in before.columns if name not in before.since}
    names = (column.name for column in contract.columns)
    return {name: before.since.get(name, now) for name in names if name not in first}


def _order(order: Order) -> str:
    if isinstance(order, Comparison):
        return f"as {order.name}"
    name = _SAME_ORDER.get(order.name, order.name)
    return name if name == "varchar" else str(ColumnType(name, None, order.precision, order.scale))


def refuse_incompatible(
    contract: Contract,
    before: AppliedContract,
    watermark: str | None = None,
    *,
    refreshes: bool,
    altered: bool,
) -> None:
    """Raise if what was loaded before cannot be gone on with under `contract`.

    `watermark` is the last position that was loaded. With `altered` a person may have altered the
    target since: then the types of its columns are left to the job, which sees it.

    Raises:
        ContractError: says what differs, and what to do.
    """
    now = applied_contract(contract, [])
    if changes := _changes(before, now):
        raise ContractError(
            f"{contract.table} was loaded otherwise than its contract says now "
            f"({'; '.join(changes)}); change it back, or give it another table: that one is loaded "
            "from all that lies under its prefix"
        )
    misfits = _misfits(contract, before)
    if misfits and not altered:
        raise ContractError(
            f"{contract.table}: its columns are not what the contract says now "
            f"({'; '.join(misfits)}); change it back, or alter them in Redshift and start the "
            "table again"
        )
    if not refreshes and (why := _why_anew(before, now, watermark)):
        raise ContractError(
            f"{contract.table}: {why}; change it back, or begin anew: tidegate refresh "
            f"{contract.table}"
        )


def begins_anew(contract: Contract, before: AppliedContract, watermark: str | None) -> bool:
    """Whether only a full refresh can go on with what was loaded `before`, under `contract`."""
    return bool(_why_anew(before, applied_contract(contract, []), watermark))


def _why_anew(before: AppliedContract, now: AppliedContract, watermark: str | None) -> str:
    if before.sequence != now.sequence:
        return (
            f"changes were ordered by {before.sequence or 'their files'}, the contract now says "
            f"{now.sequence or 'their files'}, which does not compare"
        )
    if before.spelling < SPELLING and watermark and not keeps_spelling(watermark, _texts(before)):
        return "changes were ordered by an older version of Tidegate, which does not compare"
    if before.truncates and not now.truncates:
        return "source.operations has no truncate any more, without which emptied rows would return"
    return ""


def _texts(before: AppliedContract) -> list[int]:
    orders = enumerate(before.sequence.values())
    return [number for number, order in orders if order == "varchar"]


def _changes(before: AppliedContract, now: AppliedContract) -> list[str]:
    changes = [
        f"{key} was {was}, is {becomes}"
        for key, was, becomes in (
            ("write", before.write, now.write),
            ("partial", before.partial, now.partial),
            ("key", before.key, now.key),
            ("track", before.track, now.track),
        )
        if was != becomes
    ]
    gone = [name for name, _ in before.columns if name not in dict(now.columns)]
    if gone and now.partial:
        changes.append(f"columns lacks {', '.join(gone)}, which partial rows are remembered with")
    if gone and now.write == "history" and not now.track:
        changes.append(f"columns lacks {', '.join(gone)}, which versions are told apart by")
    return changes


def _misfits(contract: Contract, before: AppliedContract) -> list[str]:
    types = {column.name: column.type for column in contract.columns}
    return [
        f"{name} was {was}, is {types[name]}"
        for name, was in before.columns
        if name in types and not can_hold(ColumnType.parse(was), types[name], contract)
    ]
