select
    max(fence) as fence,
    max(last_position) as watermark,
    (select count(*) from (select 1 as one from {target} limit 1) as one_row) as target_rows,
    max(case when batch = {batch} then fence end) as batch_fence,
    max(case when batch = {batch} then first_position end) as first_position,
    max(case when batch = {batch} then last_position end) as last_position,
    max(case when batch = {batch} then rows_staged end) as rows_staged,
    max(case when batch = {batch} then rows_inserted end) as rows_inserted,
    max(case when batch = {batch} then rows_updated end) as rows_updated,
    max(case when batch = {batch} then rows_deleted end) as rows_deleted,
    max(case when batch = {batch} then rows_stale end) as rows_stale
from {batches}
