"""Computes the expected counts of a batch from the files landed before and after it."""

from typing import Any, NamedTuple

from tests.property.modes import File, FileId, Landed

Position = tuple[Any, ...]


class Counts(NamedTuple):
    """Rows that a batch inserted, updated and deleted (for a soft delete: marked)."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


def counts(before: Landed, after: Landed, batch: list[FileId]) -> Counts:
    """Return the counts of a batch; `after` is `before` plus the files of `batch`."""
    keeps_rows = after.mode in {"soft_delete", "history"}
    if len(after.epochs) > len(before.epochs) and not keeps_rows:
        return Counts(inserted=len(after.rows()), deleted=len(before.rows()))
    match after.mode:
        case "append":
            return Counts(inserted=len(after.events()) - len(before.events()))
        case "replace":
            return _replaced(before, after, batch)
        case "history":
            return _versions(before, after)
        case "soft_delete":
            return _marked(before, after)
        case _:
            return _merged(before, after)


def _merged(before: Landed, after: Landed) -> Counts:
    lived, lives = _living(before), _living(after)
    # Tidegate rebuilds partial rows from all known changes and merges them with existing rows.
    emptied_at = after.emptied_at() if after.mode == "upsert" else ()
    kept = {key: position for key, position in lived.items() if position > emptied_at}
    return Counts(
        inserted=len(lives.keys() - kept.keys()),
        updated=len([key for key in _touched(before, after) if key in kept and key in lives]),
        deleted=len(lived) - len(kept.keys() & lives.keys()),
    )


def partial_updates(before: Landed, after: Landed, batch: list[File]) -> tuple[int, int]:
    """Return the least and the most partial rows that a batch may update.

    Tidegate forgets superseded changes. If such a change lands again, it may update its row again.
    A late truncation may not know that it is later than a change of a row.
    """
    lived, lives = _living(before), _living(after)
    kept = lived.keys() & lives.keys()
    old, new = ({row[0]: row for row in landed.rows()} for landed in (before, after))
    changed = {key for key in kept if (old[key], lived[key]) != (new[key], lives[key])}
    named = {key for file in batch for one in file.changes for key in (one.id, one.old)}
    return len(changed), len(kept & (_touched(before, after) | named))


def _living(landed: Landed) -> dict[Any, Position]:
    """Return the position of the last change of each key that has a row."""
    emptied_at = landed.emptied_at()
    return {
        key: events[-1].position
        for key, events in landed.by_key().items()
        if events[-1].change.operation != "D" and events[-1].position > emptied_at
    }


def _touched(before: Landed, after: Landed) -> set[Any]:
    """Return the keys that the batch changes: partial rows by any change, others by a newer one."""
    old, new = before.by_key(), after.by_key()
    if after.mode == "upsert":
        return {key for key in new if new[key][-1:] != old.get(key, [])[-1:]}
    return {key for key in new if new[key] != old.get(key)}


def _versions(before: Landed, after: Landed) -> Counts:
    """Count all versions of a changed key as updated; a key without current version as deleted."""
    old, new = before.by_key(), after.by_key()
    touched = _touched(before, after)
    had = sum(len(before.versions(old.get(key, []))) for key in touched)
    has = sum(len(after.versions(new[key])) for key in touched)
    return Counts(inserted=has - had, updated=had, deleted=_gone(before, after))


def _gone(before: Landed, after: Landed) -> int:
    return len(_living(before).keys() - _living(after).keys())


def _replaced(before: Landed, after: Landed, batch: list[FileId]) -> Counts:
    newest = max((event.position[2:4] for event in after.events()), default=None)
    if newest not in batch:
        return Counts()
    return Counts(inserted=len(after.rows()), deleted=len(before.rows()))


def _marked(before: Landed, after: Landed) -> Counts:
    """Count soft deletes; a row that is already marked does not count again."""
    old, new = _values(before), _values(after)
    return Counts(
        inserted=len(new.keys() - old.keys()),
        updated=len([key for key in old if new[key] != old[key]]),
        deleted=_gone(before, after),
    )


def _values(landed: Landed) -> dict[Any, Position]:
    """Return for each row the position of the change that its values come from."""
    by_key = landed.by_key().items()
    living = {key: [one for one in events if one.change.operation != "D"] for key, events in by_key}
    return {key: events[-1].position for key, events in living.items() if events}
