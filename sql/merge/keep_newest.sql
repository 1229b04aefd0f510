create temporary table {arrived} as
select
    {columns_from_stage},
    {metadata}
from (
    select
        {columns_in_rank},
        {metadata_in_rank},
        row_number() over (
            partition by {identity}
            order by "_position" desc
        ) as "_rank"
    from {stage}
) as ranked
where "_rank" = 1
