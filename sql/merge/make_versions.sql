create temporary table {versions} as
with touched as (
    select distinct
        {key_columns_in_rank}
    from {arrived}
),

known as (
    select
        {key_of_change_log},
        {change_log}."_op",
        {change_log}."_digest",
        {change_log}."_position",
        {change_log}."_changed_at",
        substring({change_log}."_position", 8, 1) as "_kind",
        min(
            case
                when substring({change_log}."_position", 8, 1) = '1'
                then {change_log}."_changed_at"
            end
        ) over (
            partition by {key_of_change_log_in_line}
            order by {change_log}."_position" desc
            rows unbounded preceding
        ) as "_followed_at",
        max(
            case
                when substring({change_log}."_position", 8, 1) = '0'
                then {change_log}."_changed_at"
            end
        ) over (
            partition by {key_of_change_log_in_line}
            order by {change_log}."_position"
            rows between unbounded preceding and 1 preceding
        ) as "_told_at"
    from {change_log}
    join touched on {same_key_as_touched}
),

-- A row of a snapshot comes before all changes of its key. If there are changes, it makes a version
-- only if its time is not after theirs, and is after the time of the snapshot before it.
-- An event is never earlier than the events before it: "_since" is their latest time.
events as (
    select
        {key_columns_in_rank},
        "_op",
        "_digest",
        "_position",
        max("_changed_at") over (
            partition by {key}
            order by "_position"
            rows unbounded preceding
        ) as "_since",
        lag("_op") over (
            partition by {key}
            order by "_position"
        ) as "_op_before",
        lag("_digest") over (
            partition by {key}
            order by "_position"
        ) as "_digest_before"
    from known
    where "_kind" <> '0'
        or "_followed_at" is null
        or (
            "_changed_at" <= "_followed_at"
            and ("_told_at" is null or "_changed_at" > "_told_at")
        )
),

counted as (
    select
        {key_columns_in_rank},
        "_op",
        "_position",
        "_since",
        sum(
            case
                when "_op" = 'D' then 0
                when "_op_before" = 'D' then 1
                when "_digest" = "_digest_before" then 0
                else 1
            end
        ) over (
            partition by {key}
            order by "_position"
            rows unbounded preceding
        ) as "_version"
    from events
),

versions as (
    select
        {key_columns_in_rank},
        "_version",
        min(case when "_op" <> 'D' then "_since" end) as "_from",
        min(case when "_op" = 'D' then "_since" end) as "_deleted_at",
        max(case when "_op" <> 'D' then "_position" end) as "_position"
    from counted
    where "_version" > 0
    group by
        {key_columns_in_rank},
        "_version"
)

select
    {key_columns},
    "_position",
    "_from" as "_valid_from",
    coalesce(
        "_deleted_at",
        lead("_from") over (
            partition by {key}
            order by "_version"
        )
    ) as "_valid_to"
from versions
