"""What a table was last loaded with, and what of its contract may not change after that."""

from pydantic import BaseModel, ConfigDict

from tidegate.contract import Column, Contract
from tidegate.contract.types import ColumnType
from tidegate.contract.writing import BY_KEY
from tidegate.errors import ContractError

# Types whose values have the same text in a position.
_SAME_ORDER = {"smallint": "integer", "bigint": "integer", "char": "varchar"}


class AppliedContract(BaseModel):
    """What the ledger keeps of the contract of the last applied batch.

    `evolved` are the columns that files brought; `columns`, all of them in their order, are kept
    for partial rows only, which know their columns by number.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    write: str
    partial: bool
    key: list[str]
    sequence: dict[str, str]
    evolved: list[Column] = []
    columns: list[str] = []


def applied_contract(
    contract: Contract, evolved: list[Column], before: AppliedContract | None = None
) -> AppliedContract:
    """What is to be kept of `contract`, to which `evolved` belong already.

    `before` is what was kept, if not all rows are replaced: then it says how they are ordered.
    """
    if before:
        kept = applied_contract(contract, evolved)
        return kept.model_copy(update={"sequence": before.sequence})
    return AppliedContract(
        write=contract.write,
        partial=contract.partial,
        key=sorted(contract.key) if contract.write in BY_KEY else [],
        sequence={name: _order(type_) for name, type_ in contract.order_by.items()},
        evolved=evolved,
        columns=[column.name for column in contract.columns] if contract.partial else [],
    )


def _order(type_: ColumnType) -> str:
    name = _SAME_ORDER.get(type_.name, type_.name)
    return name if name == "varchar" else str(ColumnType(name, None, type_.precision, type_.scale))


def refuse_incompatible(contract: Contract, before: AppliedContract, *, refreshes: bool) -> None:
    """Raise if what was loaded before cannot be gone on with under `contract`.

    The types of columns are not looked at: the job compares them with the target itself.

    Raises:
        ContractError: says what differs, and what to do.
    """
    now = applied_contract(contract, [])
    gone = [name for name in before.columns if name not in now.columns and now.partial]
    changes = [
        f"{key} was {was}, is {becomes}"
        for key, was, becomes in (
            ("write", before.write, now.write),
            ("partial", before.partial, now.partial),
            ("key", before.key, now.key),
        )
        if was != becomes
    ]
    if gone:
        changes.append(f"columns lacks {', '.join(gone)}, which partial rows are remembered with")
    if changes:
        raise ContractError(
            f"{contract.table} was loaded otherwise than its contract says now "
            f"({'; '.join(changes)}); change it back, or give it another table: that one is loaded "
            "from all that lies under its prefix"
        )
    if before.sequence != now.sequence and not refreshes:
        raise ContractError(
            f"{contract.table}: changes were ordered by {before.sequence or 'their files'}, the "
            f"contract now says {now.sequence or 'their files'}, which does not compare; change it "
            f"back, or begin anew: tidegate refresh {contract.table}"
        )
