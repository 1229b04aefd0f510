"""Tells which source columns a contract reads, knows, and does not know."""

from collections.abc import Collection, Iterable

from tidegate.contract import Contract


def needed(contract: Contract) -> list[str]:
    """The source columns that Tidegate reads for a contract."""
    time = contract.time_of_change if contract.write == "history" else None
    return list(
        dict.fromkeys(
            [
                *(column.source for column in contract.columns),
                *contract.before_images.values(),
                *contract.order_by,
                *([time] if time else []),
            ]
        )
    )


def missing(names: Collection[str], contract: Contract, later: Collection[str] = ()) -> list[str]:
    """The columns that a file with the columns `names` lacks but must have.

    A file must have the key, the columns that order changes, and the other columns of the contract.
    It may lack the columns `later`, which were added after it landed. With `evolve: add` and with
    partial rows it may lack any column that is not of the key and does not order changes.
    """
    any_may_be_absent = contract.partial or contract.evolve == "add"
    columns = [
        column.source
        for column in contract.columns
        if column.name in contract.key or not (any_may_be_absent or column.name in later)
    ]
    return [name for name in [*columns, *contract.order_by] if name not in names]


def strangers(names: Iterable[str], contract: Contract) -> list[str]:
    """The names in `names` that the contract does not know, in their order."""
    known = {
        contract.source.options.operation,
        *contract.fields,
        *(column.source for column in contract.columns),
        *contract.order_by,
        *contract.before_images.values(),
        contract.time_of_change,
    }
    before = contract.source.before_image
    names = list(names)
    known |= {before + name for name in names} if before else set()
    return [name for name in names if name not in known]
