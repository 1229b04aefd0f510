"""Redshift's system views, built on DuckDB's catalogue and the history.

They are table macros: DuckDB would bind every view each time someone reads its catalogue.
"""

from collections.abc import Iterator

from tidegate.local.warehouse.catalog.history import log_source
from tidegate.local.warehouse.catalog.relations import DATABASE, SYSTEM_SCHEMA
from tidegate.local.warehouse.language.lexer import quote

_IN_SIGHT = f"""(database_name = 'temp' or
    (database_name = '{DATABASE}' and schema_name <> '{SYSTEM_SCHEMA}')) and not internal"""
_SCHEMA = "case when database_name = 'temp' then 'pg_temp' else schema_name end"


def _kept(column: str, path: str, kind: str = "varchar") -> str:
    return f"cast(json_extract_string({column}, '$.{path}') as {kind})"


# No Redshift type is stored for a view's columns, so this translates DuckDB's types.
_PLAIN_TYPE = """case
    when data_type = 'FLOAT' then 'real'
    when data_type = 'DOUBLE' then 'double precision'
    when data_type in ('TIME', 'TIMESTAMP') then lower(data_type) || ' without time zone'
    when data_type = 'JSON' then 'super'
    when data_type = 'BLOB' then 'binary varying'
    when data_type in ('VARCHAR', 'NULL') then 'character varying'
    when data_type = 'HUGEINT' or data_type like 'DECIMAL%' then 'numeric'
    else lower(data_type)
end"""

_COLUMNS = f"""select
    getvariable('database') as table_catalog,
    {_SCHEMA} as table_schema,
    table_name,
    column_name,
    column_index as ordinal_position,
    column_default,
    case when is_nullable then 'YES' else 'NO' end as is_nullable,
    coalesce({_kept("comment", "type")}, {_PLAIN_TYPE}) as data_type,
    {_kept("comment", "length", "integer")} as character_maximum_length,
    case when comment is null then numeric_precision
        else {_kept("comment", "precision", "integer")} end as numeric_precision,
    case when comment is null then numeric_scale
        else {_kept("comment", "scale", "integer")} end as numeric_scale,
    {_kept("comment", "remark")} as remarks,
    coalesce({_kept("comment", "spelled")}, {_PLAIN_TYPE}) as spelled,
    coalesce({_kept("comment", "encode")}, 'none') as encoding,
    table_oid
from duckdb_columns()
where {_IN_SIGHT}"""  # noqa: S608 - constants

_TABLES = f"""select
    getvariable('database') as table_catalog,
    {_SCHEMA} as table_schema,
    table_name,
    case when temporary then 'LOCAL TEMPORARY' else 'TABLE' end as table_type,
    {_kept("comment", "remark")} as remarks,
    table_oid,
    estimated_size,
    comment
from duckdb_tables()
where {_IN_SIGHT}
union all
select getvariable('database'), {_SCHEMA}, view_name, 'VIEW',
    {_kept("comment", "remark")}, view_oid, null, comment
from duckdb_views()
where {_IN_SIGHT}"""  # noqa: S608 - constants

_TABLE_DEF = """select
    columns.table_schema as schemaname,
    columns.table_name as tablename,
    columns.column_name as "column",
    columns.spelled as type,
    columns.encoding,
    json_extract_string(tables.comment, '$.distkey') is not distinct from columns.column_name
        as distkey,
    coalesce(list_position(cast(json_extract(tables.comment, '$.sortkey') as varchar[]),
        columns.column_name), 0) as sortkey,
    columns.is_nullable = 'NO' as "notnull"
from all_columns() as columns
join all_tables() as tables using (table_oid, table_schema, table_name)
where tables.table_type <> 'VIEW'"""

_TABLE_INFO = """select
    table_catalog as database,
    table_schema as schema,
    table_oid as table_id,
    table_name as "table",
    'Y, AUTO(ENCODE)' as encoded,
    case
        when json_extract_string(comment, '$.distkey') is not null
            then 'KEY(' || json_extract_string(comment, '$.distkey') || ')'
        else coalesce(upper(json_extract_string(comment, '$.diststyle')), 'AUTO(ALL)')
    end as diststyle,
    coalesce(json_extract_string(comment, '$.sortkey[0]'), 'AUTO(SORTKEY)') as sortkey1,
    coalesce(json_array_length(comment, '$.sortkey'), 0) as sortkey_num,
    1 as size,
    cast(estimated_size as decimal(38, 0)) as tbl_rows,
    cast(estimated_size as decimal(38, 0)) as estimated_visible_rows
from all_tables()
where table_type = 'TABLE'"""

VIEWS = {
    "all_columns": _COLUMNS,
    "all_tables": _TABLES,
    "svv_columns": "select * exclude (spelled, encoding, table_oid) from all_columns()",
    "svv_tables": "select * exclude (table_oid, estimated_size, comment) from all_tables()",
    "svv_all_columns": "select table_catalog as database_name, table_schema as schema_name, * exclude (table_catalog, table_schema, spelled, encoding, table_oid) from all_columns()",  # noqa: E501
    "svv_all_tables": "select table_catalog as database_name, table_schema as schema_name, table_name, table_type, remarks from all_tables()",  # noqa: E501
    "pg_table_def": _TABLE_DEF,
    "svv_table_info": _TABLE_INFO,
    "stv_db_isolation_level": "select getvariable('database') as db_name, 'Snapshot Isolation' as isolation_level",  # noqa: E501
    "sys_query_history": log_source("log_queries"),
    "stl_query": "select query_id as query, session_id as pid, transaction_id as xid, query_label as label, query_text as querytxt, start_time as starttime, end_time as endtime, status = 'failed' as aborted from sys_query_history()",  # noqa: E501
    "sys_load_error_detail": log_source("log_load_errors"),
    "stl_load_errors": "select query_id as query, table_id as tbl, start_time as starttime, file_name as filename, line_number, column_name as colname, column_type as type, column_length as col_length, error_code as err_code, error_message as err_reason, session_id as session from sys_load_error_detail()",  # noqa: E501
    "stv_sessions": log_source("log_sessions"),
}


def view_statements() -> Iterator[str]:
    """Yields the statements that create all system views."""
    for name, query in VIEWS.items():
        yield f"create macro {quote(SYSTEM_SCHEMA)}.{name}() as table {query}"
