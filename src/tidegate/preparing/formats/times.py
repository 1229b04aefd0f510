"""Lets DuckDB read the times of day of a Parquet file as integers.

DuckDB refuses a file with a time outside a day: `TIME values must be within a day`. MySQL has such
times, up to 838:59:59, and one of them must not quarantine the rows beside it. So Tidegate edits
the footer of its copy of the file: columns of times become columns of integers.

https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Fields of FileMetaData, SchemaElement, LogicalType and TimeType.
_SCHEMA, _CHILDREN, _CONVERTED, _LOGICAL, _TIME, _UNIT = 2, 5, 6, 10, 7, 2
# By the converted type of a time, as Thrift writes it: the type of the integer, and the unit.
_INTEGERS = {0x0E: (0x22, "milliseconds"), 0x10: (0x24, "microseconds")}
_UNITS = {1: "milliseconds", 2: "microseconds"}
_UNKNOWN = 0xFC  # replaces a TimeType by a struct that all readers skip, because none knows it
_BINARY, _LIST, _STRUCT = 8, 9, 12
_FIXED = {1: 0, 2: 0, 3: 1, 7: 8}  # bytes
_NUMBERS = (4, 5, 6)
_MAGIC = 8  # bytes: the length of the footer, and PAR1


class _Field(NamedTuple):
    """A field of a struct, with the offsets of its header and its value."""

    number: int
    kind: int
    header: int
    value: int


def read_as_numbers(path: Path) -> dict[int, str]:
    """Turn times into integers in the footer of the file at `path`; return their units by column.

    Times in nanoseconds stay: databases with times beyond a day do not write them.
    """
    with path.open("r+b") as file:
        file.seek(-_MAGIC, 2)
        size = int.from_bytes(file.read(4), "little")
        begin = file.seek(-_MAGIC - size, 2)
        footer = bytearray(file.read(size))
        units = dict(_change_times(footer))
        if units:
            file.seek(begin)
            file.write(footer)
    return units


def _change_times(footer: bytearray) -> Iterator[tuple[int, str]]:
    for column, element in enumerate(_columns(footer)):
        converted, time = element.get(_CONVERTED), _time(footer, element.get(_LOGICAL))
        if converted and (found := _INTEGERS.get(footer[converted.value])):
            footer[converted.value], unit = found
        elif time and (named := _UNITS.get(_unit(footer, time))):
            unit = named
        else:
            continue
        if time:
            footer[time.header] = _UNKNOWN
        yield column, unit


def _time(footer: bytearray, logical: _Field | None) -> _Field | None:
    """The TimeType of a logical type, if it is one."""
    fields = _fields(footer, logical.value) if logical else ()
    return next((field for field in fields if field.number == _TIME), None)


def _unit(footer: bytearray, time: _Field) -> int:
    """The number of the unit that a TimeType names."""
    [unit] = [field for field in _fields(footer, time.value) if field.number == _UNIT]
    return next(_fields(footer, unit.value)).number


def _columns(footer: bytearray) -> Iterator[dict[int, _Field]]:
    """The schema's elements right below its root, each as fields by their numbers."""
    schema = next(field for field in _fields(footer, 0) if field.number == _SCHEMA)
    left: list[int] = []  # for each open element, how many of its children are still to come
    for element in _elements(footer, schema.value):
        if len(left) == 1:
            yield element
        if left:
            left[-1] -= 1
        children = element.get(_CHILDREN)
        left.append(_number(footer, children.value)[0] // 2 if children else 0)
        while left and not left[-1]:
            left.pop()


def _elements(footer: bytearray, at: int) -> Iterator[dict[int, _Field]]:
    count, at = _length(footer, at)
    for _ in range(count):
        fields = list(_fields(footer, at))
        yield {field.number: field for field in fields}
        at = _behind(footer, _STRUCT, at)


def _fields(footer: bytearray, at: int) -> Iterator[_Field]:
    number = 0
    while (header := footer[at]) != 0:
        delta, kind, value = header >> 4, header & 15, at + 1
        number += delta
        if not delta:
            zigzag, value = _number(footer, value)
            number = zigzag // 2
        yield _Field(number, kind, at, value)
        at = _behind(footer, kind, value)


def _behind(footer: bytearray, kind: int, at: int) -> int:
    """The offset behind a value."""
    if kind in _FIXED:
        return at + _FIXED[kind]
    if kind in _NUMBERS:
        return _number(footer, at)[1]
    if kind == _BINARY:
        size, at = _number(footer, at)
        return at + size
    if kind == _LIST:
        of = footer[at] & 15
        count, at = _length(footer, at)
        for _ in range(count):
            at = at + 1 if of in (1, 2) else _behind(footer, of, at)
        return at
    for field in _fields(footer, at):
        at = _behind(footer, field.kind, field.value)
    return at + 1


def _length(footer: bytearray, at: int) -> tuple[int, int]:
    """The number of elements of a list, and the offset of the first."""
    short = footer[at] >> 4
    return (short, at + 1) if short < 15 else _number(footer, at + 1)


def _number(footer: bytearray, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (footer[at] & 127) << shift
        if footer[at] < 128:
            return value, at + 1
        at, shift = at + 1, shift + 7
