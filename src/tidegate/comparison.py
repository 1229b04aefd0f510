"""How a sequence compares: each value becomes a text, its spelling, that sorts byte by byte.

Example: the LSN `16/B374D848` becomes `00000016/B374D848`. A spelling holds no blank and no control
character. A value that does not have the form of its comparison has no spelling, and Tidegate
refuses its row. If Tidegate compared it anyway, it could drop a newer change.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_WIDEST = 35  # digits of the $AR_H_CHANGE_SEQ of DMS, which stays as it is
_SECONDS = "%Y-%m-%dT%H:%M:%S"
_NUMBER = r"[+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})"
_LSN = "[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}"
_BINLOG = r"[^:\s]*\.[0-9]{1,20}(:[0-9]{1,20})*"
_HEX = "(0[xX])?[0-9A-Fa-f]{1,64}(:[0-9A-Fa-f]{1,64})*"
_MINUTES = "[0-9]{2}:[0-9]{2}"
_CLOCK = f"{_MINUTES}(:[0-9]{{2}}([.,][0-9]{{1,18}})?)?"
# No zone in use is farther from UTC: https://www.iana.org/time-zones
_ZONE = "(UTC|Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)"
_TIMESTAMP = f"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ]{_CLOCK}( ?{_ZONE})?)?"
_TEXT = r"[^\x00-\x1f\x7f]+"
# pandas writes 4 as 4.0 if the column holds a null.
_DIGITS = rf"0*([0-9]{{1,{_WIDEST - 1}}}|[2-9][0-9]{{{_WIDEST - 1}}})(\.0*)?"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One way to compare: the form it reads, as a regular expression, and an example.

    `spelling` takes a DuckDB expression for texts of that form. It returns the DuckDB expression
    for their spellings.
    """

    name: str
    form: str
    example: str
    spelling: Callable[[str], str]

    def sql(self, text: str) -> str:
        """Return the DuckDB expression for the spelling of `text`; null if it has none."""
        fits = f"regexp_full_match({text}, '{self.form}')"
        return f"case when {fits} then {self.spelling(text)} end"

    def reads(self, text: str) -> bool:
        """Tell whether `text` has the form. It may still name no day, like the 30th of February."""
        return re.fullmatch(self.form, text) is not None


def alike(text: str, spelling: str) -> bool:
    """Tell whether a text without a declared comparison has the same form as a `spelling`.

    Numbers of the full width compare only with each other. If some of their digits were left out,
    the rest would be read as a far smaller number.
    """
    if DIGITS.reads(text):
        is_widest = len(text.partition(".")[0].lstrip("0")) == _WIDEST
        return spelling.isdigit() and is_widest == (spelling[0] != "1")
    form = LSN if "/" in spelling else TIMESTAMP
    return form.reads(text) and not spelling.isdigit()


def _digits_sql(text: str) -> str:
    # A '1' stands before every number except the widest ones: those begin with another digit.
    digits = f"ltrim(split_part({text}, '.', 1), '0')"
    padded = f"'1' || lpad({digits}, {_WIDEST - 1}, '0')"
    return f"case when length({digits}) = {_WIDEST} then {digits} else {padded} end"


def _number_sql(text: str) -> str:
    whole = f"ltrim(regexp_extract({text}, '^[+-]?([0-9]*)', 1), '0')"
    fraction = rf"rtrim(regexp_extract({text}, '\.([0-9]*)$', 1), '0')"
    size = f"lpad(length({whole})::varchar, 3, '0') || {whole} || {fraction}"
    # Below zero the digits count down. A longer fraction is then less than a shorter one: '~' sorts
    # above every digit and ends the text.
    below = f"'0' || translate({size}, '0123456789', '9876543210') || '~'"
    is_below = f"starts_with({text}, '-') and {whole} || {fraction} <> ''"
    return f"case when {is_below} then {below} else '1' || {size} end"


def _lsn_sql(text: str) -> str:
    halves = (f"lpad(upper(split_part({text}, '/', {half})), 8, '0')" for half in (1, 2))
    return " || '/' || ".join(halves)


def _binlog_sql(text: str) -> str:
    return _each_sql(rf"regexp_extract({text}, '\.([0-9:]+)$', 1)", "lpad(one, 20, '0')")


def _hex_sql(text: str) -> str:
    digits = "ltrim(one, '0')"
    # The count of the digits comes first, so that 9 sorts before 10.
    spelled = f"lpad(length({digits})::varchar, 2, '0') || {digits}"
    return _each_sql(f"regexp_replace(upper({text}), '^0X', '')", spelled)


def _each_sql(groups: str, spelled: str) -> str:
    each = f"list_transform(string_split({groups}, ':'), lambda one: {spelled})"
    return f"array_to_string({each}, ':')"


def _timestamp_sql(text: str) -> str:
    behind = f"substr({text}, 11)"
    clock = _or_sql(f"regexp_extract({behind}, '{_MINUTES}(:[0-9]{{2}})?')", "00:00")
    zone = _or_sql(f"regexp_extract({behind}, '[+-].*$')", "+00")
    moment = f"try_cast(left({text}, 10) || ' ' || {clock} || {zone} as timestamptz)"
    fraction = f"rtrim(regexp_extract({behind}, '[.,]([0-9]+)', 1), '0')"
    # The text of a year sorts only between these years.
    fits = f"{moment} between '0001-01-01 00:00+00' and '9999-12-31 23:59:59+00'"
    spelled = f"strftime({moment} at time zone 'UTC', '{_SECONDS}') || '.' || {fraction}"
    return f"case when {fits} then {spelled} end"


def _or_sql(found: str, otherwise: str) -> str:
    return f"coalesce(nullif({found}, ''), '{otherwise}')"


def _text_sql(text: str) -> str:
    return f"replace(replace({text}, '!', '!Q'), ' ', '!P')"


NUMBER = Comparison("number", _NUMBER, "-12.5", _number_sql)
LSN = Comparison("lsn", _LSN, "16/B374D848", _lsn_sql)
BINLOG = Comparison("binlog", _BINLOG, "mysql-bin.000042:1337", _binlog_sql)
HEX = Comparison("hex", _HEX, "00000027:00000AC3:0002", _hex_sql)
TIMESTAMP = Comparison("timestamp", _TIMESTAMP, "2024-05-01T10:00:00.5Z", _timestamp_sql)
TEXT = Comparison("text", _TEXT, "01HX3V0R8Q", _text_sql)
COMPARISONS = {one.name: one for one in (LSN, BINLOG, NUMBER, HEX, TIMESTAMP, TEXT)}

# Forms that Tidegate recognises without a declared comparison. No text has two of them.
DIGITS = Comparison("digits", _DIGITS, "20240809", _digits_sql)
KNOWN = (DIGITS, LSN, TIMESTAMP)


def undeclared_sql(text: str) -> str:
    """Return the DuckDB expression for the spelling of a text without a declared comparison."""
    return f"coalesce({', '.join(one.sql(text) for one in KNOWN)})"
