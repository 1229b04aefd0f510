"""From the text in a file to the value of a column, in DuckDB's SQL, and what is said if it fails.

DuckDB casts more than a contract means: it rounds '1.5' to the integer 2, makes infinity of 1e400,
drops the time from a date and the zone from a timestamp. So the form of the text is checked beside
the cast. What is more exact than its column is rounded (decimal, half away from zero) or cut
(times, after microseconds).
"""

from dataclasses import dataclass

from tidegate.contract.model import Column
from tidegate.contract.types import LONGEST_VARCHAR, ColumnType

_DAY = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"\d{2}:\d{2}(:\d{2}(\.\d+)?)?"
_INTEGER = r"\s*[+-]?\d+\s*"
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
    "timestamptz": rf"\s*{_DAY}([ T]{_CLOCK}( ?UTC|Z|[+-]\d{{2}}(:?\d{{2}})?)?)?\s*",
}
# DuckDB takes these as JSON, JSON_PARSE of Redshift does not; what stands in quotes is no matter.
_STRINGS = r'"(\\.|[^"\\])*"'
_NOT_JSON = r"(?i)nan|inf|,\s*[\]}]"
# The literals Redshift reads as boolean:
# https://docs.aws.amazon.com/redshift/latest/dg/r_Boolean_type.html
_TRUE = "('t', 'true', 'y', 'yes', '1')"
_FALSE = "('f', 'false', 'n', 'no', '0')"


@dataclass(frozen=True, slots=True)
class Cast:
    """DuckDB expressions over the text of one column.

    `held` is null where the file holds nothing, `value` where it holds nothing or nothing fit, and
    `fault` says what is unfit. It never repeats the text, which may be regulated.
    """

    held: str
    value: str
    fault: str


def cast_sql(column: Column, text: str, *, is_key: bool) -> Cast:
    """How `text`, an expression for what the file holds, becomes the value of `column`."""
    if column.type.name in {"char", "varchar"}:
        # Redshift compares without trailing blanks, so keys that differ in them are one key.
        return _characters(column, f"rtrim({text}, ' ')" if is_key else text)
    typed = typed_sql(column.type, text)
    value = f"({typed})::varchar" if column.type.travels_as_text else typed
    fault = duckdb_literal(f"column {column.name!r} is not a valid {column.type}")
    return Cast(f"nullif({text}, '')", value, fault)


def typed_sql(type_: ColumnType, text: str) -> str:
    """The value that `text` stands for, in DuckDB's own type; null where it stands for none."""
    held = f"nullif({text}, '')"
    match type_.name:
        case "char" | "varchar":
            return held
        case "boolean":
            word = f"lower(trim({held}))"
            return f"case when {word} in {_TRUE} then true when {word} in {_FALSE} then false end"
        case "super":
            return _super_sql(held)
        case "varbyte":
            most = 2 * min(type_.length or LONGEST_VARCHAR, LONGEST_VARCHAR // 2)
            fits = f"regexp_full_match({held}, '([0-9A-Fa-f]{{2}})*') and strlen({held}) <= {most}"
            return f"case when {fits} then {held} end"
        case _:
            return _scalar_sql(type_, held)


def duckdb_literal(text: str) -> str:
    """`text` as a literal of DuckDB, where a backslash is nothing special."""
    return "'" + text.replace("'", "''") + "'"


def _super_sql(held: str) -> str:
    bare = f"regexp_replace({held}, {duckdb_literal(_STRINGS)}, '\"\"', 'g')"
    strict = f"not regexp_matches({bare}, {duckdb_literal(_NOT_JSON)})"
    fits = f"json_valid({held}) and strlen({held}) <= {LONGEST_VARCHAR} and {strict}"
    return f"case when {fits} then {held} end"


def _scalar_sql(type_: ColumnType, held: str) -> str:
    value = f"try_cast({held} as {type_.ddl})"
    fits = f"regexp_full_match({held}, {duckdb_literal(_FORMS[type_.name])})"
    match type_.name:
        case "real" | "double":
            named = f"regexp_full_match({held}, {duckdb_literal(_NOT_FINITE)})"
            fits = f"({named} or {fits} and isfinite({value}))"
        case "date" | "timestamp" | "timestamptz":
            # Beyond these years the text of a year no longer sorts, and COPY is not sure of it.
            fits = f"{fits} and year({value}) between 1 and 9999"
    return f"case when {fits} then {value} end"


def _characters(column: Column, text: str) -> Cast:
    type_ = column.type
    trimmed = f"rtrim({text}, ' ')"
    storable = f"not contains({text}, chr(0))"
    if type_.name == "char":
        storable += f" and strlen({text}) = length({text})"
    # Blanks at the end may be too many, nothing else:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    value = (
        f"case when {storable} and strlen({text}) <= {type_.length} then {text} "
        f"when {storable} and strlen({trimmed}) <= {type_.length} then {trimmed} end"
    )
    too_long = f"strlen({text}) || {duckdb_literal(f' bytes, more than {type_} can hold')}"
    unfit = "'a NUL character'" if type_.name == "varchar" else "'a character that is not ASCII'"
    says = duckdb_literal(f"column {column.name!r} holds ")
    return Cast(text, value, f"{says} || case when {storable} then {too_long} else {unfit} end")
