"""Which keys of a contract go with which write mode."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tidegate.contract.parts import Misfit

if TYPE_CHECKING:
    from tidegate.contract.model import Contract

BY_KEY = ("upsert", "soft_delete", "history")  # what changes rows finds them by their key
VERSION_COLUMNS = ("valid_from", "valid_to", "is_current")
_FROM_TEXT = ("super", "varbyte")


def keeps_newest(contract: "Contract") -> bool:
    """Whether of several changes of a key only the newest counts."""
    whole_rows = contract.write in {"upsert", "soft_delete"} and not contract.partial
    return whole_rows or (contract.write == "replace" and bool(contract.key))


def keeps_all(contract: "Contract") -> bool:
    """Whether every change is remembered, so that a late one finds its place."""
    return contract.write == "history" or contract.partial


def truncates(contract: "Contract") -> bool:
    """Whether the source tells that it emptied the table, and rows go by that."""
    told = "truncate" in contract.source.operations.values()
    return told and contract.write in BY_KEY


def control_tables(contract: "Contract") -> list[str]:
    """The kinds of tables that Tidegate keeps beside the target."""
    buries = contract.write in {"upsert", "soft_delete"} and not contract.partial
    kept = {
        "tombstones": buries,
        "change_log": keeps_all(contract),
        "truncations": truncates(contract),
    }
    return ["batches", *(kind for kind, is_kept in kept.items() if is_kept)]


def misfits_of_mode(contract: "Contract") -> Iterator[Misfit]:
    """Keys that say something that the contract's write mode cannot do."""
    if contract.write in BY_KEY and not contract.key:
        yield "key", f"{contract.write} needs the columns that identify a row; name them"
    if contract.write == "replace" and contract.sequence:
        yield "sequence", "replace takes snapshots whole, in order of name; remove it"
    yield from _misfits_of_source(contract)
    if contract.partial:
        yield from _misfits_of_partial(contract)
    elif contract.source.options.unsupplied:
        text = "says that rows are partial; add partial: true as well"
        yield "source.options.unsupplied", text
    if contract.write == "history":
        yield from _misfits_of_history(contract)
        return
    for at, given in (("changed_at", contract.changed_at), ("track", contract.track)):
        if given:
            yield at, "belongs to write: history; remove it or write that"


def _misfits_of_source(contract: "Contract") -> Iterator[Misfit]:
    if contract.write == "replace" and "truncate" in contract.source.operations.values():
        text = "replace takes snapshots whole, and a truncate is none; remove it"
        yield "source.operations", text
    if contract.source.before_image and contract.write not in BY_KEY:
        text = "only upsert, soft_delete and history move a row's key; remove it"
        yield "source.before_image", text


def _misfits_of_partial(contract: "Contract") -> Iterator[Misfit]:
    if contract.write != "upsert":
        yield "partial", f"{contract.write} takes whole rows only; write upsert"
    for column in contract.columns:
        if column.type.name in _FROM_TEXT:
            text = f"column {column.name!r} of type {column.type} comes whole; remove one"
            yield "partial", text


def _misfits_of_history(contract: "Contract") -> Iterator[Misfit]:
    if not contract.time_of_change:
        yield "changed_at", "history needs it; name the source column with a change's time"
    for number, column in enumerate(contract.columns):
        if column.name in VERSION_COLUMNS:
            text = f"history adds {column.name!r} itself; choose another name"
            yield f"columns.{number}.name", text
