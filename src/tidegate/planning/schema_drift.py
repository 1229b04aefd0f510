"""Schema drift: with `evolve: add` a new column in the files becomes a column of the table."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tidegate.batch.applied import AppliedContract
from tidegate.batch.objects import LandedFile
from tidegate.column_types import LONGEST_VARCHAR, ColumnType
from tidegate.contract import Column, Contract
from tidegate.contract.keys import MOST_COLUMNS
from tidegate.contract.metadata_columns import columns_of_changes, columns_of_target
from tidegate.contract.names import valid_column_name
from tidegate.preparing.formats.fields import strangers

MOST_EVOLVED = 500  # columns; the table's item in the ledger has to hold them
_NO_ROOM = "the table has {} columns already; add the columns that you want to the contract"
_ANYTHING = ColumnType("varchar", length=LONGEST_VARCHAR)


@dataclass(frozen=True, slots=True)
class Evolved:
    """A contract with the columns that came with files.

    `columns` has all of them, `added` the names that are new in this batch. `unread` has the names
    that cannot be columns, with the reasons.
    """

    contract: Contract
    columns: list[Column]
    added: list[str]
    unread: dict[str, str]


@dataclass(frozen=True, slots=True)
class Evolve:
    """Finds the new columns in files. `read_names` returns the names in each file."""

    read_names: Callable[[Contract, Iterable[LandedFile]], list[list[str]]]

    def reads_whole(self, contract: Contract) -> bool:
        """Tell whether names need whole files, so that a batch cannot hold many of them."""
        return contract.evolve == "add" and contract.source.format == "jsonl"

    def __call__(
        self, contract: Contract, before: AppliedContract | None, files: Iterable[LandedFile]
    ) -> Evolved:
        """Return the contract to load a batch of `files` with. Writes nothing."""
        known = add_known(contract, before)
        looks = contract.evolve == "add" and contract.source.names_columns
        return add_new(contract, known, self.read_names(known, files) if looks else [])


def add_known(contract: Contract, before: AppliedContract | None) -> Contract:
    """Return `contract` with the columns of earlier files, unless it declares them itself."""
    evolved = before.evolved if before and contract.evolve == "add" else []
    names = {column.name for column in contract.columns}
    kept = [
        column
        for column in evolved
        if column.name not in names and strangers([column.source], contract)
    ]
    columns = [*contract.columns, *kept]
    if before and contract.partial:
        # Partial rows refer to columns by number, so each column keeps its place.
        order = {name: number for number, (name, _) in enumerate(before.columns)}
        columns.sort(key=lambda column: order.get(column.name, len(order)))
    return contract.model_copy(update={"columns": columns})


def add_new(declared: Contract, known: Contract, named: Iterable[list[str]]) -> Evolved:
    """Return `known` with a column for each new name; `named` has the names in each file."""
    new = dict.fromkeys(name for names in named for name in strangers(names, known))
    most = min(MOST_COLUMNS, len(declared.columns) + MOST_EVOLVED)
    columns, unread = list(known.columns), {}
    taken = {*columns_of_target(known), *columns_of_changes(known)}
    for name in new:
        try:
            columns.append(_column(name, taken | {column.name for column in columns}))
        except ValueError as error:
            unread[name] = str(error)
    if more := [column.source for column in columns[most:]]:
        unread |= dict.fromkeys(more, _NO_ROOM.format(most))
        columns = columns[:most]
    names = {column.name for column in declared.columns}
    return Evolved(
        contract=known.model_copy(update={"columns": columns}),
        columns=[column for column in columns if column.name not in names],
        added=[column.name for column in columns[len(known.columns) :]],
        unread=unread,
    )


def _column(source: str, taken: set[str]) -> Column:
    name = valid_column_name(source.lower())
    if name in taken:
        raise ValueError(f"the table has a column {name!r} already")
    return Column.model_validate({"name": name, "type": str(_ANYTHING), "from": source})
