"""Write modes: how each one treats changes, and which control tables it needs."""

from tidegate.contract.keys import Keys

BY_KEY = ("upsert", "soft_delete", "history")  # these modes find rows by their key
VERSION_COLUMNS = ("valid_from", "valid_to", "is_current")


def keeps_newest(contract: Keys) -> bool:
    """Tell whether only the newest change of a key counts."""
    whole_rows = contract.write in {"upsert", "soft_delete"} and not contract.partial
    return whole_rows or (contract.write == "replace" and bool(contract.key))


def keeps_all(contract: Keys) -> bool:
    """Tell whether Tidegate keeps every change, so that a late one can take its place."""
    return contract.write == "history" or contract.partial


def truncates(contract: Keys) -> bool:
    """Tell whether a truncate from the source removes rows of the target."""
    sends_truncates = "truncate" in contract.source.operations.values()
    return sends_truncates and contract.write in BY_KEY


def control_tables(contract: Keys) -> list[str]:
    """Return the kinds of control tables that Tidegate keeps for the target."""
    has_tombstones = contract.write in {"upsert", "soft_delete"} and not contract.partial
    kept = {
        "tombstones": has_tombstones,
        "change_log": keeps_all(contract),
        "truncations": truncates(contract),
    }
    return ["batches", *(kind for kind, is_kept in kept.items() if is_kept)]
