create temporary table {changes} as
with touched as (
    select distinct
        {key_columns_in_rank}
    from {arrived}
),

known as (
    select
        {columns_of_change_log_in_known},
        {change_log}."_op",
        {change_log}."_position",
        {change_log}."_carried",
        max(case when {change_log}."_op" = 'D' then {change_log}."_position" end) over (
            partition by {key_of_change_log_in_line}
        ) as "_deleted_at",
        row_number() over (
            partition by {key_of_change_log_in_line}
            order by {change_log}."_position" desc
        ) as "_rank"
    from {change_log}
    join touched on {same_key_as_touched}
),

-- A delete drops the earlier changes of its key. The delete itself stays if it is the newest.
living as (
    select *
    from known
    where "_deleted_at" is null
        or "_position" > "_deleted_at"
        or "_rank" = 1
),

filled as (
    select
        {newest_carried},
        "_op",
        "_position",
        "_rank"
    from living
)

select
    {columns},
    "_op",
    "_position"
from filled
where "_rank" = 1
