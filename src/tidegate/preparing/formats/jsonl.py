"""JSON lines: each line is an object, and objects may have different fields.

An absent field is null, unless rows are partial. If a field comes twice, the last one counts.
A number keeps its digits as written. DuckDB reads a number with a point as double: it writes 1.1
for 1.10, and keeps 17 digits. So `marked_numbers` first turns the numbers of a line into strings,
for the columns that keep the difference.
"""

import json
import re
from pathlib import Path

import duckdb

from tidegate.contract import Contract
from tidegate.preparing.casts import duckdb_literal, is_json_sql
from tidegate.preparing.formats.fields import needed
from tidegate.preparing.formats.shape import (
    Shape,
    ShapeError,
    path_list,
    refuse_strangers,
)
from tidegate.preparing.rejects import is_file_fault, reason
from tidegate.sql_files import render

# If names of fields are data, there may be millions of them; nobody wants these as columns.
MOST_NAMES = 10_000
_NO_LINES = (
    "it is not JSON lines: the first line is not a JSON object; write each object on its own "
    "line, in UTF-8 without a byte order mark, and land the file again"
)
_NO_OBJECT = (
    "the line is not a JSON object in UTF-8, or a text in it has half of a surrogate pair "
    "(\\ud800 to \\udfff), which is not a character; correct it, and land the line again"
)
_CUT_OFF = "the last line is cut off, so the file is not whole; land it again"
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_IS_REPEATED = "len(json_keys(line)) > list_unique(json_keys(line))"
_AS_WRITTEN = ("char", "varchar", "super")
_BRACKETS = ((b"{", b"}"), (b"[", b"]"))
_LONGEST_LINE = 16 << 20  # bytes; DuckDB refuses longer lines


def read_shape(path: Path, contract: Contract, connection: "duckdb.DuckDBPyConnection") -> Shape:
    """The shape of the JSON lines at `path`.

    Raises:
        ShapeError: the file is not readable, or it is not JSON lines.
    """
    names, is_repeated = _names(path, contract, connection)
    if _is_cut_off(path):
        raise ShapeError(_CUT_OFF)
    operation = contract.source.options.operation
    wanted = [*([operation] if operation in names else []), *needed(contract)]
    numbers = {name: number for number, name in enumerate(wanted, start=1)}
    pointers, marked = _pointers(wanted), render("prepare/marked_numbers")
    listed = f"[{', '.join(map(duckdb_literal, wanted))}]"
    last_texts = render("prepare/last_values", names=listed, values=f"{marked} ->> '$.*'")
    last_types = render("prepare/last_values", names=listed, values="json_type(line, '$.*')")
    return Shape(
        scan="prepare/scan_jsonl",
        placeholders=(
            ("pointers", pointers),
            ("as_written", _pointers(_as_written(contract))),
            ("exact_texts", _unmarked(f"{marked} ->> {pointers}")),
            ("is_repeated", _IS_REPEATED if is_repeated else "false"),
            ("last_texts", _unmarked(last_texts)),
            ("last_types", last_types),
        ),
        texts=tuple((name, f"texts[{number}]") for name, number in numbers.items()),
        documents=tuple((name, _document(number)) for name, number in numbers.items()),
        whole="line",
        record="line::varchar",
        carried=tuple((name, f"types[{number}] is not null") for name, number in numbers.items()),
        fault=("not is_object", _NO_OBJECT),
        strangers=refuse_strangers(names, contract),
    )


def list_names(
    path: Path, contract: Contract, connection: "duckdb.DuckDBPyConnection"
) -> list[str]:
    """The fields of the objects in the file at `path`; the operation comes first.

    Raises:
        ShapeError: the file is not readable, or it is not JSON lines.
    """
    return _names(path, contract, connection)[0]


def _names(
    path: Path, contract: Contract, connection: "duckdb.DuckDBPyConnection"
) -> tuple[list[str], bool]:
    """The fields, and whether an object has one of them twice."""
    paths = path_list([path])
    try:
        first = connection.execute(render("prepare/is_first_an_object", paths=paths)).fetchone()
        operation = duckdb_literal(contract.source.options.operation)
        listed = render("prepare/list_names", paths=paths, operation=operation, most=MOST_NAMES)
        rows = connection.execute(listed).fetchall()
    except duckdb.Error as error:
        if not is_file_fault(error):
            raise
        raise ShapeError(reason(error, path)) from error
    begins_otherwise = first == (False,) and not _begins_with_an_object(path)
    # DuckDB 2.0 ignores a file of one byte.
    if begins_otherwise or (path.stat().st_size == 1 and path.read_bytes().strip()):
        raise ShapeError(_NO_LINES)
    return [name for name, _ in rows], any(is_repeated for _, is_repeated in rows)


def _begins_with_an_object(path: Path) -> bool:
    """Whether the first line is an object, apart from invalid characters.

    Such a character refuses only its line, here as on any other line.
    """
    with path.open("rb") as content:
        lines = iter(lambda: content.readline(_LONGEST_LINE), b"")
        first = next(filter(bytes.strip, lines), b"")
    try:
        return isinstance(json.loads(first.decode(errors="replace")), dict)
    except (ValueError, RecursionError):
        return False


def _is_cut_off(path: Path) -> bool:
    """Whether the last line begins an object that does not end."""
    with path.open("rb") as content:
        content.seek(max(0, path.stat().st_size - _LONGEST_LINE))
        last = content.read().rpartition(b"\n")[2]
    bare = _STRING.sub(b"", last)
    opened = b'"' in bare or any(bare.count(one) > bare.count(end) for one, end in _BRACKETS)
    return last.lstrip().startswith(b"{") and opened


def _document(number: int) -> str:
    """The JSON of a field. A string that contains JSON of an object or array counts as that."""
    text = f"texts[{number}]"
    nested = f"left(ltrim({text}), 1) in ('{{', '[') and {is_json_sql(text)}"
    is_string = f"types[{number}] = 'VARCHAR' and not ({nested})"
    return f"case when {is_string} then to_json({text})::varchar else {text} end"


def _as_written(contract: Contract) -> list[str]:
    """The fields whose numbers keep their digits as written, because they become text or JSON."""
    columns = {column.source: column.type for column in contract.columns}
    types = columns | contract.order_by
    return [name for name, type_ in types.items() if type_.name in _AS_WRITTEN]


def _unmarked(texts: str) -> str:
    return render("prepare/unmarked_numbers", texts=texts)


def _pointers(names: list[str]) -> str:
    return f"[{', '.join(duckdb_literal(_pointer(name)) for name in names)}]::varchar[]"


def _pointer(name: str) -> str:
    # https://www.rfc-editor.org/rfc/rfc6901#section-3
    return "/" + name.replace("~", "~0").replace("/", "~1")
