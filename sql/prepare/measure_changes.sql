select
    count(*),
    min(_position),
    max(_position)
from read_parquet({path})
