select
    -count(*) as rows_inserted,
    count(*) as rows_updated,
    count(case when {target}."is_current" and living.{first_key} is null then 1 end) as rows_deleted
from {target}
join (
    select distinct
        {key_columns_in_rank}
    from {arrived}
) as touched on {target_is_touched}
left join (
    select
        {key_columns_in_rank}
    from {versions}
    where "_valid_to" is null
) as living on {target_is_living}
