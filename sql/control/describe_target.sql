select
    table_schema,
    table_name,
    column_name,
    data_type,
    character_maximum_length,
    numeric_precision,
    numeric_scale
from svv_columns
where (table_schema = {schema_name} and table_name = {table_name})
    or (table_schema = {control_schema_name} and table_name in ({control_names}))
