select
    coalesce(sum(greatest(total_uncompressed_size, num_values)), 0)
from parquet_metadata({paths})
