create temporary table {superseded} as
with touched as (
    select distinct
        {key_columns_in_rank}
    from {arrived}
),

known as (
    select
        {key_of_change_log},
        {change_log}."_op",
        {change_log}."_position",
        {change_log}."_carried"
    from {change_log}
    join touched on {same_key_as_touched}
),

compared as (
    select
        {key_columns_in_rank},
        "_op",
        "_position",
        max(case when "_op" = 'D' then "_position" end) over (
            partition by {key}
        ) as "_deleted_at",
        {newest_positions}
    from known
)

select
    {key_columns},
    "_position"
from compared
where "_position" < "_deleted_at"
    or (
        "_op" <> 'D'
        and {carries_nothing_new}
    )
