select
    {widths}
from read_parquet({path})
