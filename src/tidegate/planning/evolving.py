"""`evolve: add`: columns that files name and the contract does not become the table's."""

import csv
import io
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tidegate.contract import Column, Contract
from tidegate.contract.model import MOST_COLUMNS
from tidegate.contract.names import valid_column_name
from tidegate.contract.own_columns import columns_of_changes, columns_of_target
from tidegate.contract.types import LONGEST_VARCHAR, ColumnType
from tidegate.landing.fetching import GoneError, fetch
from tidegate.landing.objects import LandedFile
from tidegate.planning.applied import AppliedContract
from tidegate.preparing.headers import (
    LONGEST_RECORD,
    first_record,
    is_whole,
    names_in,
    required,
    strangers,
)

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MOST_EVOLVED = 500  # columns; the ledger's item of the table has to hold them
_AT_ONCE = 16
_USUAL_HEADER = 1 << 16  # bytes
_ANY_FORMAT = 32 + zlib.MAX_WBITS
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
    """Finds the new columns of files by their headers."""

    s3: "S3Client"
    landing_bucket: str

    def __call__(
        self, contract: Contract, before: AppliedContract | None, files: Iterable[LandedFile]
    ) -> Evolved:
        """The contract that a batch of `files` is loaded with; nothing is written."""
        known = add_known(contract, before)
        if contract.evolve != "add" or not contract.source.options.header:
            return add_new(contract, known, [])
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            headers = list(pool.map(partial(self._header, known), files))
        return add_new(contract, known, headers)

    def _header(self, contract: Contract, file: LandedFile) -> list[str]:
        """The names in the header; none of a file that prepare_chunk will quarantine."""
        try:
            names = names_in(self._first_record(file), contract)
        except (GoneError, UnicodeDecodeError, csv.Error, zlib.error):
            return []
        usable = set(required(contract)) <= set(names) and len(set(names)) == len(names)
        return names if usable else []

    def _first_record(self, file: LandedFile) -> bytes:
        first = b""
        for most in (_USUAL_HEADER, LONGEST_RECORD):
            content = fetch(self.s3, self.landing_bucket, file, most).read() if file.size else b""
            first = first_record(io.BytesIO(_unpacked(content)))
            if is_whole(first) or file.size <= most:
                break
        return first


def _unpacked(content: bytes) -> bytes:
    if content[:2] != b"\x1f\x8b":
        return content
    return zlib.decompressobj(_ANY_FORMAT).decompress(content, LONGEST_RECORD)


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
    if before:
        # Partial rows know their columns by number, so each stays where it was.
        order = {name: number for number, name in enumerate(before.columns)}
        columns.sort(key=lambda column: order.get(column.name, len(order)))
    return contract.model_copy(update={"columns": columns})


def add_new(declared: Contract, known: Contract, headers: Iterable[list[str]]) -> Evolved:
    """`known` with a column for each name that `headers` have and it does not."""
    new = dict.fromkeys(name for names in headers for name in strangers(names, known))
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
