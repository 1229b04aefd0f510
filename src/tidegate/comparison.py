"""How texts that order changes compare: each is spelled so that spellings sort byte by byte.

A spelling holds no blank and no control character. What is not of the form of its comparison has
none: its row is refused, for to compare it all the same could drop a newer change.
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
# pandas makes 4.0 of the 4 in a column with a null.
_DIGITS = rf"0*([0-9]{{1,{_WIDEST - 1}}}|[2-9][0-9]{{{_WIDEST - 1}}})(\.0*)?"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A way to compare: what it reads, as a regular expression, and an example.

    `spelling` takes a DuckDB expression of texts of that form, and gives the one that spells them.
    """

    name: str
    form: str
    example: str
    spelling: Callable[[str], str]

    def sql(self, text: str) -> str:
        """DuckDB expression of the spelling of `text`, null where it has none."""
        fits = f"regexp_full_match({text}, '{self.form}')"
        return f"case when {fits} then {self.spelling(text)} end"

    def reads(self, text: str) -> bool:
        """Whether `text` is of the form; a day may yet be none, as the 30th of February."""
        return re.fullmatch(self.form, text) is not None


def alike(text: str, spelling: str) -> bool:
    """Whether a text of which nothing says how it compares is of the form of a `spelling` of one.

    The widest digits are alone: a part of them would be read as a number that is far smaller.
    """
    if DIGITS.reads(text):
        is_widest = len(text.partition(".")[0].lstrip("0")) == _WIDEST
        return spelling.isdigit() and is_widest == (spelling[0] != "1")
    form = LSN if "/" in spelling else TIMESTAMP
    return form.reads(text) and not spelling.isdigit()


def _digits_sql(text: str) -> str:
    # A '1' before all numbers but the widest: these begin with another digit.
    digits = f"ltrim(split_part({text}, '.', 1), '0')"
    padded = f"'1' || lpad({digits}, {_WIDEST - 1}, '0')"
    return f"case when length({digits}) = {_WIDEST} then {digits} else {padded} end"


def _number_sql(text: str) -> str:
    whole = f"ltrim(regexp_extract({text}, '^[+-]?([0-9]*)', 1), '0')"
    fraction = rf"rtrim(regexp_extract({text}, '\.([0-9]*)$', 1), '0')"
    size = f"lpad(length({whole})::varchar, 3, '0') || {whole} || {fraction}"
    # Below zero the digits count down, and what goes on is less than what ends: '~' is above them.
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
    # By their number first, so that 9 comes before 10.
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
    # Beyond these years the text of a year no longer sorts.
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

# What a text is beyond doubt, if nothing says how it compares. No text is of two of these forms.
DIGITS = Comparison("digits", _DIGITS, "20240809", _digits_sql)
KNOWN = (DIGITS, LSN, TIMESTAMP)


def undeclared_sql(text: str) -> str:
    """DuckDB expression of the spelling of a text of which nothing says how it compares."""
    return f"coalesce({', '.join(one.sql(text) for one in KNOWN)})"
