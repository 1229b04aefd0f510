"""From the text in a file to the value of a column, in DuckDB's SQL, and what is said when it fails.

DuckDB casts more than a contract means: it rounds '1.5' to the integer 2, drops the time from a
date and the zone from a timestamp. So the form of the text is checked beside the cast.
"""

from dataclasses import dataclass

from tidegate.contract.model import Column
from tidegate.contract.types import LONGEST_VARCHAR, ColumnType

_DAY = r"\d{4,6}-\d{2}-\d{2}"
_CLOCK = r"\d{2}:\d{2}(:\d{2}(\.\d+)?)?"
_INTEGER = r"\s*[+-]?\d+\s*"
_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_FLOAT = rf"\s*({_NUMBER}|[+-]?(?i:inf|infinity|nan))\s*"
_FORMS = {
    "smallint": _INTEGER,
    "integer": _INTEGER,
    "bigint": _INTEGER,
    "decimal": rf"\s*{_NUMBER}\s*",
    "real": _FLOAT,
    "double": _FLOAT,
    "date": rf"\s*{_DAY}([ T]00:00(:00(\.0+)?)?)?\s*",
    "time": rf"\s*{_CLOCK}\s*",
    "timestamp": rf"\s*{_DAY}([ T]{_CLOCK})?\s*",
    "timestamptz": rf"\s*{_DAY}([ T]{_CLOCK}( ?(Z|UTC|[+-]\d{{2}}(:?\d{{2}})?))?)?\s*",
}
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
    held = f"nullif({text}, '')"
    fault = duckdb_literal(f"column {column.name!r} is not a valid {column.type}")
    return Cast(held, _value_sql(column.type, held), fault)


def duckdb_literal(text: str) -> str:
    """`text` as a literal of DuckDB, where a backslash is nothing special."""
    return "'" + text.replace("'", "''") + "'"


def _value_sql(type_: ColumnType, held: str) -> str:
    match type_.name:
        case "boolean":
            word = f"lower(trim({held}))"
            return f"case when {word} in {_TRUE} then true when {word} in {_FALSE} then false end"
        case "super":
            fits = f"json_valid({held}) and strlen({held}) <= {LONGEST_VARCHAR}"
            return f"case when {fits} then {held} end"
        case "varbyte":
            most = 2 * min(type_.length or LONGEST_VARCHAR, LONGEST_VARCHAR // 2)
            fits = f"regexp_full_match({held}, '([0-9A-Fa-f]{{2}})*') and strlen({held}) <= {most}"
            return f"case when {fits} then {held} end"
        case name:
            form = duckdb_literal(_FORMS[name])
            value = f"try_cast({held} as {type_.ddl})"
            value = f"{value}::varchar" if type_.travels_as_text else value
            return f"case when regexp_full_match({held}, {form}) then {value} end"


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
