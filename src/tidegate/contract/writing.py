"""What each write mode does with changes, and what it keeps beside the target."""

from tidegate.contract.keys import Keys

BY_KEY = ("upsert", "soft_delete", "history")  # what changes rows finds them by their key
VERSION_COLUMNS = ("valid_from", "valid_to", "is_current")


def keeps_newest(contract: Keys) -> bool:
    """Whether of several changes of a key only the newest counts."""
    whole_rows = contract.write in {"upsert", "soft_delete"} and not contract.partial
    return whole_rows or (contract.write == "replace" and bool(contract.key))


def keeps_all(contract: Keys) -> bool:
    """Whether every change is remembered, so that a late one finds its place."""
    return contract.write == "history" or contract.partial


def truncates(contract: Keys) -> bool:
    """Whether the source tells that it emptied the table, and rows go by that."""
    told = "truncate" in contract.source.operations.values()
    return told and contract.write in BY_KEY


def control_tables(contract: Keys) -> list[str]:
    """The kinds of tables that Tidegate keeps beside the target."""
    buries = contract.write in {"upsert", "soft_delete"} and not contract.partial
    kept = {
        "tombstones": buries,
        "change_log": keeps_all(contract),
        "truncations": truncates(contract),
    }
    return ["batches", *(kind for kind, is_kept in kept.items() if is_kept)]
