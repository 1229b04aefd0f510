create temporary table {changes} as
select
    {columns_from_stage},
    "_op",
    "_position"
from (
    select
        {columns_in_rank},
        "_op",
        "_position",
        row_number() over (
            partition by {key}
            order by "_position" desc
        ) as "_rank"
    from {stage}
) as ranked
where "_rank" = 1
