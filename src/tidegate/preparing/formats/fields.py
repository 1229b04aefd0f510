"""Which source columns a contract needs, knows, and does not know."""

from collections.abc import Collection, Iterable

from tidegate.contract import Contract


def needed(contract: Contract) -> list[str]:
    """The source columns that are read."""
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
    """Those that a file with the columns `names` lacks and must have.

    That is what finds and orders a row, and all columns but those that the file is older than,
    `later`. With `evolve: add` any may be absent, and of a partial row what did not change.
    """
    any_may_be_absent = contract.partial or contract.evolve == "add"
    columns = [
        column.source
        for column in contract.columns
        if column.name in contract.key or not (any_may_be_absent or column.name in later)
    ]
    return [name for name in [*columns, *contract.order_by] if name not in names]


def strangers(names: Iterable[str], contract: Contract) -> list[str]:
    """Those of `names` that the contract does not know, in their order."""
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
