describe
select *
from read_parquet({paths})
