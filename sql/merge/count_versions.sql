select
    -count(*) as rows_inserted,
    count(*) as rows_updated
from {target}
join (
    select distinct
        {key_columns_in_rank}
    from {arrived}
) as touched on {target_is_touched}
