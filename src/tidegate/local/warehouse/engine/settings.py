"""The settings of a session: SET, RESET, SHOW and the initial values."""

import re
from collections.abc import Iterator

from tidegate.local.warehouse.language.failures import SqlError

_DEFAULTS = {
    "analyze_threshold_percent": "10",
    "application_name": "",
    "autocommit": "on",
    "client_encoding": "UTF8",
    "datestyle": "ISO, MDY",
    "describe_field_name_in_uppercase": "off",
    "downcase_delimited_identifier": "on",
    "enable_case_sensitive_identifier": "off",
    "enable_numeric_rounding": "on",
    "enable_result_cache_for_session": "on",
    "enable_vacuum_boost": "off",
    "error_on_nondeterministic_update": "off",
    "extra_float_digits": "0",
    "integer_datetimes": "on",
    "json_parse_dedup_attributes": "off",
    "json_serialization_enable": "off",
    "navigate_super_null_on_error": "on",
    "query_group": "default",
    "search_path": '"$user", public',
    "server_version": "8.0.2",
    "session_authorization": "",
    "standard_conforming_strings": "off",
    "statement_timeout": "0",
    "timezone": "UTC",
    "wlm_query_slot_count": "1",
}
_FIXED = {"integer_datetimes", "server_version"}
# Settings with one allowed value: another value would change what statements mean, and this
# server does not implement that.
_ONLY = {
    "enable_case_sensitive_identifier": {"off", "false"},
    "downcase_delimited_identifier": {"on", "true"},
    "timezone": {"utc", "default"},
    "search_path": {"$user, public", "public", "default"},
}
_DURATION = re.compile(r"(\d+)\s*(ms|s|min|h|d)?")
_MILLISECONDS = {None: 1, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


class Settings:
    """A session's settings by their lower-case names."""

    def __init__(self, **initial: str) -> None:
        self._initial = _DEFAULTS | initial
        self._values = dict(self._initial)

    def set(self, name: str, value: str) -> None:
        """SET name TO value; a rollback does not undo it."""
        self._check(name, value)
        self._values[name] = self._initial[name] if value.lower() == "default" else value

    def _check(self, name: str, value: str) -> None:
        self.get(name)
        if name in _FIXED:
            raise SqlError("55P02", f'parameter "{name}" cannot be changed')
        if name == "statement_timeout" and value.lower() != "default":
            _milliseconds(value)
        if value.lower() not in _ONLY.get(name, {value.lower()}):
            hint = f"The local warehouse supports only {name} = {self._initial[name]}."
            raise SqlError("22023", f'invalid value for parameter "{name}": "{value}"', hint=hint)

    def get(self, name: str) -> str:
        """SHOW name."""
        if name not in self._values:
            raise SqlError("42704", f'unrecognized configuration parameter "{name}"')
        return self._values[name]

    def reset(self, name: str) -> None:
        """RESET name, or ALL."""
        for one in list(self._values) if name == "all" else [name]:
            self.get(one)
            self._values[one] = self._initial[one]

    def items(self) -> Iterator[tuple[str, str]]:
        """SHOW ALL."""
        yield from sorted(self._values.items())

    @property
    def statement_timeout(self) -> float:
        """The timeout in seconds; 0 means no timeout."""
        return _milliseconds(self._values["statement_timeout"]) / 1000


def _milliseconds(value: str) -> int:
    found = _DURATION.fullmatch(value.strip().lower())
    if not found:
        raise SqlError("22023", f'invalid value for parameter "statement_timeout": "{value}"')
    return int(found[1]) * _MILLISECONDS[found[2]]
