"""Redshift's functions as DuckDB macros, in a schema on every session's search path."""

from collections.abc import Iterator

from tidegate.local.warehouse.catalog.relations import SYSTEM_SCHEMA
from tidegate.local.warehouse.language.failures import raise_in_sql
from tidegate.local.warehouse.language.lexer import quote

_UTC_NOW = "(current_timestamp at time zone 'UTC')"

# Clips x to the longest prefix of whole characters that fits into n bytes.
_CLIPPED = """case
    when strlen(x) <= n then x
    when strlen(x) = length(x) then left(x, n)
    else left(x, len(list_filter(range(1, n + 1), lambda i: strlen(left(x, i)) <= n)))
end"""

MACROS = {
    # Times: https://docs.aws.amazon.com/redshift/latest/dg/Date_functions_header.html
    "getdate()": f"date_trunc('second', {_UTC_NOW})",
    "sysdate()": _UTC_NOW,
    "timeofday()": f"strftime({_UTC_NOW}, '%a %b %d %H:%M:%S.%f %Y UTC')",
    "date_cmp(a, b)": "cast(sign(date_diff('day', b, a)) as integer)",
    # Text
    "textlen(x)": "length(x)",
    "text_bytes(x)": "strlen(cast(x as varchar))",
    "btrim(x)": "trim(x)",
    "charindex(x, y)": "strpos(y, x)",
    "func_sha1(x)": "sha1(x)",
    "sha(x)": "sha1(x)",
    "dlog1(x)": "ln(x)",
    "dlog10(x)": "log10(x)",
    "dexp(x)": "exp(x)",
    # SUPER: https://docs.aws.amazon.com/redshift/latest/dg/json-functions.html
    "json_serialize(x)": "cast(x as varchar)",
    "json_typeof(x)": """case json_type(x)
        when 'VARCHAR' then 'string' when 'ARRAY' then 'array' when 'OBJECT' then 'object'
        when 'BOOLEAN' then 'boolean' when 'NULL' then 'null' else 'number' end""",
    "is_valid_json(x)": "json_valid(x)",
    "can_json_parse(x)": "json_valid(x)",
    "get_array_length(x)": "cast(json_array_length(x) as bigint)",
    "json_size(x)": "cast(strlen(cast(x as varchar)) as bigint)",
    # VARBYTE: https://docs.aws.amazon.com/redshift/latest/dg/varbyte-functions.html
    "to_varbyte(x, f)": "case lower(f) when 'hex' then from_hex(x) else encode(x) end",
    "from_varbyte(x, f)": "case lower(f) when 'hex' then lower(to_hex(x)) else decode(x) end",
    # The session: https://docs.aws.amazon.com/redshift/latest/dg/r_System_information_functions.html
    "pg_backend_pid()": "getvariable('pid')",
    "pg_last_copy_count()": "getvariable('last_copy_count')",
    "pg_last_copy_id()": "getvariable('last_copy_id')",
    "pg_last_query_id()": "getvariable('last_query_id')",
    "version()": "getvariable('version')",
    "current_database()": "getvariable('database')",
    "current_schema()": "'public'",
    "session_user_name()": "getvariable('user')",
    "current_setting(x)": "json_extract_string(getvariable('settings'), '$.' || x)",
    "has_table_privilege(x, y)": "true",
    "has_schema_privilege(x, y)": "true",
    "has_database_privilege(x, y)": "true",
    # For the translation itself
    "divisor(x)": f"case when x = 0 then {raise_in_sql('22012', 'Divide by zero')} else x end",
    "clip_varchar(x, n)": _CLIPPED,
    "fit_varchar(x, n)": """case
        when strlen(cast(x as varchar)) <= n then cast(x as varchar)
        when strlen(rtrim(cast(x as varchar), ' ')) <= n then rtrim(cast(x as varchar), ' ')
            || repeat(' ', n - strlen(rtrim(cast(x as varchar), ' ')))
        when x is not null then
            error('redshift:22001:value too long for type character varying(' || n || ')')
    end""",
    "fit_char(x, n)": """case
        when strlen(cast(x as varchar)) <> length(cast(x as varchar)) then
            error('redshift:22001:CHAR string contains invalid ASCII character')
        when strlen(rtrim(cast(x as varchar), ' ')) <= n then rtrim(cast(x as varchar), ' ')
        when x is not null then
            error('redshift:22001:value too long for type character(' || n || ')')
    end""",
    "fit_varbyte(x, n)": """case
        when octet_length(cast(x as blob)) <= n then cast(x as blob)
        when x is not null then
            error('redshift:22001:value too long for type binary varying(' || n || ')')
    end""",
}


def macro_statements() -> Iterator[str]:
    """Yields the statements that create all macros."""
    for signature, body in MACROS.items():
        yield f"create macro {quote(SYSTEM_SCHEMA)}.{signature} as {body}"
