select
    name,
    coalesce(num_children, 0),
    precision
from parquet_schema({path})
