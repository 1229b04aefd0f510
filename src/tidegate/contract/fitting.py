"""Checks that the keys of a contract fit together, and that they fit its write mode."""

from collections.abc import Iterator

from tidegate.column_types import ColumnType
from tidegate.contract.keys import Keys
from tidegate.contract.parts import Misfit, repeated, unfit, unknown
from tidegate.contract.writing import BY_KEY, VERSION_COLUMNS

_SEQUENCE_TYPES = {"smallint", "integer", "bigint", "decimal", "date", "timestamp", "timestamptz"}
_TEXTS = {"char", "varchar"}
_KEY_TYPES = _SEQUENCE_TYPES | _TEXTS | {"boolean", "time"}
# https://docs.aws.amazon.com/redshift/latest/dg/r_SUPER_type.html and r_VARBYTE_type.html
_PLACING_TYPES = _KEY_TYPES | {"real", "double"}
_FROM_TEXT = ("super", "varbyte")


def misfits(keys: Keys) -> Iterator[Misfit]:
    """Yield each contradiction in a contract: the key at fault, what is wrong and what to do."""
    yield from _misfits_of_names(keys)
    yield from _misfits_of_types(keys)
    yield from _misfits_of_mode(keys)


def _misfits_of_names(keys: Keys) -> Iterator[Misfit]:
    known: set[str] = set()
    for number, column in enumerate(keys.columns):
        if column.name in known:
            text = f"{column.name!r} is named more than once; keep one"
            yield f"columns.{number}.name", text
        known.add(column.name)
    for label, used in _uses_of_columns(keys):
        yield from repeated(label, used)
        yield from unknown(label, used, known, "columns")
    yield from repeated("sequence", [part.name for part in keys.sequence])
    fields = set(keys.fields)
    for label, used in _uses_of_fields(keys):
        yield from _misfits_of_operation(keys, label, used)
        if not keys.source.names_columns:
            yield from unknown(label, used, fields, "source.fields")


def _uses_of_columns(keys: Keys) -> list[tuple[str, list[str]]]:
    return [
        ("key", keys.key),
        ("track", keys.track or []),
        ("distkey", keys.distkey_columns),
        ("sortkey", keys.sortkey_columns),
    ]


def _uses_of_fields(keys: Keys) -> list[tuple[str, list[str]]]:
    return [
        ("source.fields", keys.source.fields or []),
        *(
            (f"columns.{number}.from", [column.source])
            for number, column in enumerate(keys.columns)
        ),
        ("sequence", [part.name for part in keys.sequence]),
        ("source.options.timestamp", keys.timestamp_fields),
        ("changed_at", [keys.changed_at] if keys.changed_at else []),
        ("source.before_image", list(keys.before_images.values())),
    ]


def _misfits_of_operation(keys: Keys, label: str, used: list[str]) -> Iterator[Misfit]:
    operation = keys.source.options.operation
    if operation in used:
        other = "write another name, here or for source.options.operation"
        yield label, f"{operation!r} holds the operation; {other}"


def _misfits_of_types(keys: Keys) -> Iterator[Misfit]:
    types = {column.name: column.type for column in keys.columns}

    def typed(names: list[str]) -> dict[str, ColumnType]:
        return {name: types[name] for name in names if name in types}

    yield from unfit("key", typed(keys.key), _KEY_TYPES, "cannot be a key")
    orderly = _SEQUENCE_TYPES | _TEXTS
    by_type = {name: of for name, of in keys.order_by.items() if isinstance(of, ColumnType)}
    yield from unfit("sequence", by_type, orderly, "has no exact order")
    at = "sortkey" if keys.sortkey else "distkey"
    placed = typed([*keys.sortkey_columns, *keys.distkey_columns])
    yield from unfit(at, placed, _PLACING_TYPES, "cannot place rows")


def _misfits_of_mode(keys: Keys) -> Iterator[Misfit]:
    """Yield the keys that ask for something that the write mode cannot do."""
    if keys.write in BY_KEY and not keys.key:
        yield "key", f"{keys.write} needs the columns that identify a row; name them"
    if keys.write == "replace" and keys.sequence:
        yield "sequence", "replace loads whole snapshots in order of name; remove it"
    yield from _misfits_of_source(keys)
    if keys.partial:
        yield from _misfits_of_partial(keys)
    elif keys.source.options.unsupplied:
        text = "says that rows are partial; add partial: true as well"
        yield "source.options.unsupplied", text
    if keys.write == "history":
        yield from _misfits_of_history(keys)
        return
    for at, given in (("changed_at", keys.changed_at), ("track", keys.track)):
        if given:
            yield at, "works only with write: history; remove it, or write that"


def _misfits_of_source(keys: Keys) -> Iterator[Misfit]:
    if keys.write == "replace" and "truncate" in keys.source.operations.values():
        text = "replace loads only whole snapshots, and no truncate; remove it"
        yield "source.operations", text
    if keys.source.before_image and keys.write not in BY_KEY:
        text = "only upsert, soft_delete and history move a row's key; remove it"
        yield "source.before_image", text


def _misfits_of_partial(keys: Keys) -> Iterator[Misfit]:
    if keys.write != "upsert":
        yield "partial", f"{keys.write} takes only whole rows; write upsert"
    for column in keys.columns:
        if column.type.name in _FROM_TEXT:
            text = (
                f"column {column.name!r} of type {column.type} needs whole rows; remove one of them"
            )
            yield "partial", text


def _misfits_of_history(keys: Keys) -> Iterator[Misfit]:
    if not keys.time_of_change:
        yield "changed_at", "history needs it; name the source column with the time of a change"
    for number, column in enumerate(keys.columns):
        if column.name in VERSION_COLUMNS:
            text = f"history adds {column.name!r} itself; choose another name"
            yield f"columns.{number}.name", text
