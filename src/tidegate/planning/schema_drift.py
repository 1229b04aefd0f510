"""`evolve: add`: columns that files name and the contract does not become the table's."""

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

MOST_EVOLVED = 500  # columns; the ledger's item of the table has to hold them
_NO_ROOM = "there are {} columns already; write those that are wanted into the contract"
_ANYTHING = ColumnType("varchar", length=LONGEST_VARCHAR)


@dataclass(frozen=True, slots=True)
class Evolved:
    """A contract with the columns that files brought, in this batch (`added`) or before.

    `unread` says of the other names why they cannot be columns.
    """

    contract: Contract
    columns: list[Column]
    added: list[str]
    unread: dict[str, str]


@dataclass(frozen=True, slots=True)
class Evolve:
    """Finds the new columns of files, by the names that `read_names` finds in each."""

    read_names: Callable[[Contract, Iterable[LandedFile]], list[list[str]]]

    def reads_whole(self, contract: Contract) -> bool:
        """Whether files have to be read whole for it, which limits how many there can be."""
        return contract.evolve == "add" and contract.source.format == "jsonl"

    def __call__(
        self, contract: Contract, before: AppliedContract | None, files: Iterable[LandedFile]
    ) -> Evolved:
        """The contract that a batch of `files` is loaded with; nothing is written."""
        known = add_known(contract, before)
        looks = contract.evolve == "add" and contract.source.names_columns
        return add_new(contract, known, self.read_names(known, files) if looks else [])


def add_known(contract: Contract, before: AppliedContract | None) -> Contract:
    """`contract` with the columns that files brought before, as long as it does not claim them."""
    evolved = before.evolved if before and contract.evolve == "add" else []
    names = {column.name for column in contract.columns}
    kept = [
        column
        for column in evolved
        if column.name not in names and strangers([column.source], contract)
    ]
    columns = [*contract.columns, *kept]
    if before and contract.partial:
        # Partial rows know their columns by number, so each stays where it was.
        order = {name: number for number, (name, _) in enumerate(before.columns)}
        columns.sort(key=lambda column: order.get(column.name, len(order)))
    return contract.model_copy(update={"columns": columns})


def add_new(declared: Contract, known: Contract, named: Iterable[list[str]]) -> Evolved:
    """`known` with a column for each name that files have, `named`, and it does not."""
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
