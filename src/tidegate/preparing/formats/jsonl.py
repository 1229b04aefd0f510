"""JSON lines: every line an object of its own, which need not have what its neighbours have.

A field that is absent is null, unless rows are partial. Fields of a JSON number keep the digits
they are written with: DuckDB, as most readers of JSON, makes a double of what has a point, which
holds 17 of them. So where a line has a longer one, `exact_texts` first makes strings of numbers.
"""

import re
from pathlib import Path

import duckdb

from tidegate.contract import Contract
from tidegate.preparing.casts import duckdb_literal
from tidegate.preparing.formats.fields import needed
from tidegate.preparing.formats.shape import (
    Shape,
    ShapeError,
    path_list,
    refuse_strangers,
)
from tidegate.preparing.rejects import is_of_the_file, reason
from tidegate.sql_files import render

# Where keys are data there may be millions of names; nobody makes columns of them.
MOST_NAMES = 10_000
_NO_LINES = (
    "it is not JSON lines: the first line is not a JSON object; write every object on a line of "
    "its own, in UTF-8 without a byte order mark, and land the file again"
)
_NO_OBJECT = "the line is not a JSON object"
_CUT_OFF = "the last line is cut off, so the file is not whole; land it again"
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKETS = ((b"{", b"}"), (b"[", b"]"))
_LONGEST_LINE = 16 << 20  # bytes; DuckDB refuses longer ones by itself


def read_shape(path: Path, contract: Contract, connection: "duckdb.DuckDBPyConnection") -> Shape:
    """The shape of the JSON lines at `path`.

    Raises:
        ShapeError: not readable, or not JSON lines.
    """
    names = list_names(path, contract, connection)
    if _is_cut_off(path):
        raise ShapeError(_CUT_OFF)
    operation = contract.source.options.operation
    wanted = [*([operation] if operation in names else []), *needed(contract)]
    numbers = {name: number for number, name in enumerate(wanted, start=1)}
    pointers = "[" + ", ".join(duckdb_literal(_pointer(name)) for name in wanted) + "]"
    return Shape(
        scan="prepare/scan_jsonl",
        places=(
            ("pointers", pointers),
            ("exact_texts", render("prepare/exact_texts", pointers=pointers)),
        ),
        texts=tuple((name, f"texts[{number}]") for name, number in numbers.items()),
        whole="line",
        record="line::varchar",
        carried=tuple((name, f"types[{number}] is not null") for name, number in numbers.items()),
        fault=("not is_object", _NO_OBJECT),
        strangers=refuse_strangers(names, contract),
    )


def list_names(
    path: Path, contract: Contract, connection: "duckdb.DuckDBPyConnection"
) -> list[str]:
    """The fields that the objects of the file at `path` have; the operation is the first.

    Raises:
        ShapeError: not readable, or not JSON lines.
    """
    paths = path_list([path])
    try:
        first = connection.execute(render("prepare/is_first_an_object", paths=paths)).fetchone()
        operation = duckdb_literal(contract.source.options.operation)
        listed = render("prepare/list_names", paths=paths, operation=operation, most=MOST_NAMES)
        rows = connection.execute(listed).fetchall()
    except duckdb.Error as error:
        if not is_of_the_file(error):
            raise
        raise ShapeError(reason(error, path)) from error
    # DuckDB 2.0 passes over a file of one byte.
    if first == (False,) or (path.stat().st_size == 1 and path.read_bytes().strip()):
        raise ShapeError(_NO_LINES)
    return [name for (name,) in rows]


def _is_cut_off(path: Path) -> bool:
    """Whether an object begins in the last line that does not end."""
    with path.open("rb") as content:
        content.seek(max(0, path.stat().st_size - _LONGEST_LINE))
        last = content.read().rpartition(b"\n")[2]
    bare = _STRING.sub(b"", last)
    opened = b'"' in bare or any(bare.count(one) > bare.count(end) for one, end in _BRACKETS)
    return last.lstrip().startswith(b"{") and opened


def _pointer(name: str) -> str:
    # https://www.rfc-editor.org/rfc/rfc6901#section-3
    return "/" + name.replace("~", "~0").replace("/", "~1")
