"""What the record of a batch must count, from what had landed before it and what has after it."""

from typing import Any, NamedTuple

from tests.property.modes import Event, File, Landed

Position = tuple[Any, ...]


class Counts(NamedTuple):
    """Rows that a batch added, wrote anew and removed; of a soft delete, marked."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


def counts(before: Landed, after: Landed, batch: list[str]) -> Counts:
    """The counts of the batch of the files named `batch`, which is all that `after` has more."""
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
    if _refreshed(before, after):
        return Counts(inserted=len(after.rows()), deleted=len(before.rows()))
    lived, lives = _living(before), _living(after)
    # Partial rows are made anew of all that is known, and merged with what is there.
    emptied_at = after.emptied_at() if after.mode == "upsert" else ()
    kept = {key: position for key, position in lived.items() if position > emptied_at}
    return Counts(
        inserted=len(lives.keys() - kept.keys()),
        updated=len([key for key in _touched(before, after) if key in kept and key in lives]),
        deleted=len(lived) - len(kept.keys() & lives.keys()),
    )


def partial_updates(before: Landed, after: Landed, batch: list[File]) -> tuple[int, int]:
    """The least and the most partial rows that a batch may write anew.

    Changes that were superseded are forgotten: one that comes again may write its row once more,
    and a truncation that comes late may not know that it is later than a change of that row.
    """
    lived, lives = _living(before), _living(after)
    kept = lived.keys() & lives.keys()
    old, new = ({row[0]: row for row in landed.rows()} for landed in (before, after))
    changed = {key for key in kept if (old[key], lived[key]) != (new[key], lives[key])}
    named = {change.id for file in batch for change in file.changes}
    return len(changed), len(kept & (_touched(before, after) | named))


def _living(landed: Landed) -> dict[Any, Position]:
    """The positions of the last changes of the keys that have a row."""
    emptied_at = landed.emptied_at()
    return {
        key: events[-1].position
        for key, events in landed.by_key().items()
        if events[-1].change.operation != "D" and events[-1].position > emptied_at
    }


def _touched(before: Landed, after: Landed) -> set[Any]:
    """The keys that the batch changes: partial rows by any change, whole rows by a newer one."""
    old, new = before.by_key(), after.by_key()
    if after.mode == "upsert":
        return {key for key in new if new[key][-1:] != old.get(key, [])[-1:]}
    return {key for key in new if new[key] != old.get(key)}


def _versions(before: Landed, after: Landed) -> Counts:
    """All versions of a key that changes are written anew."""
    old, new = before.by_key(), after.by_key()
    touched = _touched(before, after)
    had = sum(len(before.versions(old.get(key, []))) for key in touched)
    has = sum(len(after.versions(new[key])) for key in touched)
    return Counts(inserted=has - had, updated=had)


def _replaced(before: Landed, after: Landed, batch: list[str]) -> Counts:
    [name] = batch
    loaded = {event.position[2] for event in after.events()}
    if name not in loaded or name < max(loaded):
        return Counts()
    return Counts(inserted=len(after.rows()), deleted=len(before.rows()))


class _Marked(NamedTuple):
    """The change that a row has its values from, and whether and by what it is marked."""

    position: Position
    deleted_at: Position | None
    emptied: bool


def _marked(before: Landed, after: Landed) -> Counts:
    old, new = _rows(before), _rows(after)
    changed = {key for key in new if key not in old or new[key].position != old[key].position}
    return Counts(
        inserted=len(new.keys() - old.keys()),
        updated=len(changed & old.keys()),
        deleted=len([key for key in new if _is_marked(new[key], old.get(key))]),
    )


def _is_marked(new: _Marked, old: _Marked | None) -> bool:
    """Whether a batch marks a row; one that is marked already only by a newer delete."""
    anew = old is None or new.position != old.position
    if new.deleted_at:
        return anew or old is None or new.deleted_at != old.deleted_at
    marked = old is not None and (old.deleted_at or old.emptied)
    return new.emptied and (anew or not marked)


def _rows(landed: Landed) -> dict[Any, _Marked]:
    emptied_at, rows = landed.emptied_at(), {}
    for key, events in landed.by_key().items():
        values = [event.position for event in events if event.change.operation != "D"]
        if values:
            delete = _last_delete(events)
            deleted_at = delete if delete and delete > values[-1] else None
            rows[key] = _Marked(values[-1], deleted_at, values[-1] < emptied_at)
    return rows


def _last_delete(events: list[Event]) -> Position | None:
    deletes = [event.position for event in events if event.change.operation == "D"]
    return deletes[-1] if deletes else None


def _refreshed(before: Landed, after: Landed) -> bool:
    return len(after.epochs) > len(before.epochs)
