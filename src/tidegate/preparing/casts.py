"""Casts the text in a file to the value of a column, in DuckDB's SQL, with a reason if it fails.

DuckDB casts more than a contract allows: it rounds '1.5' to the integer 2, makes infinity of 1e400,
drops the time from a date and the zone from a timestamp. So a pattern checks the text as well.
A value with more digits than its column is rounded (decimal, half away from zero) or cut (times,
after microseconds).
"""

from dataclasses import dataclass

from tidegate.column_types import LONGEST_VARCHAR, ColumnType
from tidegate.contract.keys import Column

_DAY = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"\d{2}:\d{2}(:\d{2}(\.\d+)?)?"
# No time zone in use is farther from UTC: https://www.iana.org/time-zones
_ZONE = r"[+-](0\d|1[0-4])(:?[0-5]\d)?"
# pandas writes 4 as 4.0 in a column of integers with a null.
_INTEGER = r"\s*[+-]?\d+(\.0*)?\s*"
_SCIENTIFIC = r"\s*[+-]?(\d+\.?\d*|\.\d+)[eE]\+?\d+\s*"
_NUMBER = r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*"
_NOT_FINITE = r"\s*[+-]?(?i:inf|infinity|nan)\s*"
_FORMS = {
    "smallint": _INTEGER,
    "integer": _INTEGER,
    "bigint": _INTEGER,
    "decimal": _NUMBER,
    "real": _NUMBER,
    "double": _NUMBER,
    "date": rf"\s*{_DAY}([ T]00:00(:00(\.0+)?)?)?\s*",
    "time": rf"\s*{_CLOCK}\s*",
    "timestamp": rf"\s*{_DAY}([ T]{_CLOCK})?\s*",
    "timestamptz": rf"\s*{_DAY}([ T]{_CLOCK}( ?(UTC|Z|{_ZONE}))?)?\s*",
}
# DuckDB accepts these as JSON, JSON_PARSE of Redshift does not. Strings are removed first.
_STRINGS = r'"(\\.|[^"\\])*"'
_NOT_JSON = r"(?i)nan|inf|,\s*[\]}]"
# SUPER has at most 1,000 levels: https://docs.aws.amazon.com/redshift/latest/dg/limitations-super.html
_TOO_DEEP = r"([\[{][^\[\]{}]*){1000}[\[{]"


@dataclass(frozen=True, slots=True)
class Cast:
    """DuckDB expressions for the value of one column.

    - `cast`: DuckDB's cast of the text.
    - `value`: the value; null if the file has none or an invalid one.
    - `held`: whether the file has a value.
    - `fault`: the reason if it is invalid. It never repeats the text, which may be regulated.
    """

    cast: str
    value: str
    held: str
    fault: str


def cast_sql(column: Column, text: str, cast: str, *, is_key: bool) -> Cast:
    """The expressions that cast a text to a value of `column`.

    `text` is the name of the text in the statement, `cast` the name of its cast.
    """
    if column.type.name in {"char", "varchar"}:
        # Redshift ignores trailing blanks in comparisons, so keys that differ in them are equal.
        return _characters(column, f"rtrim({text}, ' ')" if is_key else text, cast)
    value = _fitting_sql(column.type, text, cast)
    value = f"({value})::varchar" if column.type.travels_as_text else value
    fault = duckdb_literal(f"column {column.name!r} is not a valid {column.type}")
    if column.type.name == "super":
        long = f"strlen({text}) > {LONGEST_VARCHAR}"
        fault = f"case when {long} then {_too_long(column, text)} else {fault} end"
    return Cast(_cast_sql(column.type, text), value, f"{text} <> ''", fault)


def typed_sql(type_: ColumnType, text: str) -> str:
    """The value of `text` in DuckDB's own type; null if it has none.

    A `timestamp` with a zone is converted to UTC, so that all ways to write an instant compare.
    """
    if type_.name == "timestamp":
        return f"({typed_sql(ColumnType('timestamptz'), text)}) at time zone 'UTC'"
    return _fitting_sql(type_, text, _cast_sql(type_, text))


def duckdb_literal(text: str) -> str:
    """`text` as a literal of DuckDB, where a backslash is an ordinary character."""
    return "'" + text.replace("'", "''") + "'"


def is_json_sql(text: str) -> str:
    """Whether `text` is JSON that Redshift can parse."""
    bare = f"regexp_replace({text}, {duckdb_literal(_STRINGS)}, '\"\"', 'g')"
    unfit = f"regexp_matches({bare}, {duckdb_literal(_NOT_JSON)})"
    too_deep = f"regexp_matches({bare}, {duckdb_literal(_TOO_DEEP)})"
    return f"json_valid({text}) and not {unfit} and not {too_deep}"


def _cast_sql(type_: ColumnType, text: str) -> str:
    match type_.name:
        case "char" | "varchar" | "super" | "varbyte":
            return f"nullif({text}, '')"
        case "boolean":
            # DuckDB accepts the same literals as Redshift, in upper and lower case:
            # https://docs.aws.amazon.com/redshift/latest/dg/r_Boolean_type.html
            return f"try_cast(trim({text}) as boolean)"
        case "timestamptz":
            # DuckDB accepts a blank only before UTC; Redshift and PostgreSQL before any zone.
            close = f"replace(replace(replace({text}, ' +', '+'), ' -', '-'), ' Z', 'Z')"
            return f"try_cast({close} as timestamptz)"
        case _:
            return f"try_cast({text} as {type_.ddl})"


def _fitting_sql(type_: ColumnType, text: str, cast: str) -> str:
    """The cast of `text`; null if the text is not valid for the type."""
    match type_.name:
        case "char" | "varchar" | "boolean":
            return cast
        case "super":
            fits = f"strlen({text}) <= {LONGEST_VARCHAR} and {is_json_sql(text)}"
        case "varbyte":
            most = 2 * min(type_.length or LONGEST_VARCHAR, LONGEST_VARCHAR // 2)
            fits = f"regexp_full_match({text}, '([0-9A-Fa-f]{{2}})*') and strlen({text}) <= {most}"
        case _:
            fits = _scalar_fits_sql(type_, text, cast)
    return f"case when {fits} then {cast} end"


def _scalar_fits_sql(type_: ColumnType, text: str, cast: str) -> str:
    fits = f"regexp_full_match({text}, {duckdb_literal(_FORMS[type_.name])})"
    match type_.name:
        case "smallint" | "integer" | "bigint":
            return f"({fits} or {_is_whole_sql(text)})"
        case "real" | "double":
            named = f"regexp_full_match({text}, {duckdb_literal(_NOT_FINITE)})"
            return f"(isfinite({cast}) and {fits} or {named})"
        case "date" | "timestamp" | "timestamptz":
            # Years outside these bounds do not sort as text, and COPY may not read them.
            first, last = f"'0001-01-01'::{type_.ddl}", f"'9999-12-31 23:59:59.999999'::{type_.ddl}"
            return f"{cast} between {first} and {last} and {fits}"
        case _:
            return fits


def _too_long(column: Column, text: str) -> str:
    says = duckdb_literal(f"column {column.name!r} holds ")
    limit = duckdb_literal(f" bytes of JSON, more than the {LONGEST_VARCHAR:,} that can be loaded")
    return f"{says} || strlen({text}) || {limit}"


def _is_whole_sql(text: str) -> str:
    """Whether `text` is an integer in scientific notation: 1.20e1 is one, 1.25e1 is not."""
    written = f"regexp_full_match({text}, {duckdb_literal(_SCIENTIFIC)})"
    places = f"length(rtrim(regexp_extract({text}, '\\.(\\d*)', 1), '0'))"
    exponent = f"try_cast(regexp_extract({text}, '[eE]\\+?(\\d+)', 1) as integer)"
    return f"case when {written} then {places} <= {exponent} else false end"


def _characters(column: Column, text: str, cast: str) -> Cast:
    type_ = column.type
    trimmed = f"rtrim({cast}, ' ')"
    storable = f"not contains({cast}, chr(0))"
    if type_.name == "char":
        storable += f" and strlen({cast}) = length({cast})"
    # Trailing blanks beyond the length of the column are dropped; other characters do not fit:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    value = (
        f"case when {storable} and strlen({cast}) <= {type_.length} then {cast} "
        f"when {storable} and strlen({trimmed}) <= {type_.length} then {trimmed} end"
    )
    too_long = f"strlen({cast}) || {duckdb_literal(f' bytes, more than {type_} can hold')}"
    unfit = "'a NUL character'" if type_.name == "varchar" else "'a character that is not ASCII'"
    says = duckdb_literal(f"column {column.name!r} holds ")
    fault = f"{says} || case when {storable} then {too_long} else {unfit} end"
    return Cast(text, value, f"{cast} is not null", fault)
