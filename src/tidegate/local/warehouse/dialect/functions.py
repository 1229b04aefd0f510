"""The functions of Redshift; refuses a call of any other function, as Redshift does.

https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions.html
"""

from collections.abc import Set
from itertools import pairwise

from sqlglot import exp

from tidegate.local.warehouse.language.failures import SqlError
from tidegate.local.warehouse.language.lexer import Token

_CONDITIONAL = "case coalesce decode greatest least nvl nvl2 nullif"
_AGGREGATE = """any_value approximate avg count listagg max median min percentile_cont
percentile_disc stddev stddev_pop stddev_samp sum var_pop var_samp variance bool_and bool_or
bit_and bit_or"""
_WINDOW = """cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank
rank ratio_to_report row_number"""
_DATE = """add_months convert_timezone current_date date_cmp date_diff date_part date_trunc
dateadd datediff extract getdate last_day months_between next_day sysdate timeofday to_timestamp
trunc current_timestamp now date time timestamp timestamptz timetz interval"""
_TEXT = """ascii bpcharcmp btrim bttext_pattern_cmp char_length character_length charindex chr
concat crc32 difference initcap left len length lower lpad ltrim octet_length octetindex
position quote_ident quote_literal regexp_count regexp_instr regexp_replace regexp_substr repeat
replace replicate reverse right rpad rtrim soundex split_part strpos strtol substring substr
textlen translate trim upper"""
_HASH = "checksum farmfingerprint64 fnv_hash func_sha1 md5 sha sha1 sha2 murmur3_32_hash"
_JSON = """can_json_parse is_valid_json is_valid_json_array json_array_length
json_extract_array_element_text json_extract_path_text json_parse json_serialize
json_serialize_to_varbyte json_size json_typeof array get_array_length object"""
_BYTES = "from_hex from_varbyte getbit to_hex to_varbyte"
_MATH = """abs acos asin atan atan2 cbrt ceiling ceil cos cot degrees dexp dlog1 dlog10 exp floor
ln log mod pi power pow radians random round sign sin sqrt tan"""
_FORMAT = "cast convert text_to_int_alt text_to_numeric_alt to_char to_date to_number try_cast"
_SYSTEM = """current_database current_schema current_schemas current_setting current_user
has_database_privilege has_schema_privilege has_table_privilege pg_backend_pid
pg_last_copy_count pg_last_copy_id pg_last_query_id pg_get_userbyid session_user set_config user
version pg_table_is_visible format_type obj_description col_description"""

# Words that may stand before a parenthesis without being a function call.
_SYNTAX = """all and any as between by columns distinct else end except exclude exists filter
from full group having if in inner insert intersect into is join like ilike limit not null on or
order outer over partition qualify recursive rows select set similar some source table then to
union unload unpivot pivot update using values when where with within for"""
_TYPES = """bigint binary bool boolean char character decimal double float float4 float8 int int2
int4 int8 integer nchar numeric nvarchar real smallint super text varbinary varbyte varchar
varying bpchar precision"""

CALLABLE = frozenset(
    " ".join(
        (_CONDITIONAL, _AGGREGATE, _WINDOW, _DATE, _TEXT, _HASH, _JSON, _BYTES, _MATH, _FORMAT)
    ).split()
    + _SYSTEM.split()
)  # fmt: skip
_BEFORE_PARENTHESIS = CALLABLE | frozenset(f"{_SYNTAX} {_TYPES}".split())


def refuse_unknown(tokens: list[Token], declared: Set[str]) -> None:
    """Refuses calls of functions that Redshift lacks; `declared` are tables and aliases."""
    before = ""
    for token, after in pairwise(tokens):
        qualified, before = before == ".", token.text
        if token.kind != "word" or after.text != "(" or qualified:
            continue
        if token.value not in _BEFORE_PARENTHESIS and token.value not in declared:
            raise SqlError(
                "42883",
                f"function {token.value}() does not exist",
                hint="If Redshift has it, add it to the functions of the local warehouse.",
            )


def declared_names(tree: exp.Expr) -> set[str]:
    """Returns the names of tables and aliases, which a column list in parentheses may follow."""
    names = {table.name for table in tree.find_all(exp.Table)}
    names |= {alias.name for alias in tree.find_all(exp.TableAlias)}
    return names | {cte.alias for cte in tree.find_all(exp.CTE)}
