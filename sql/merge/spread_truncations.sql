insert into {arrived} (
    {key_columns},
    "_op",
    {metadata_of_truncation}
)
select
    {key_columns},
    'D',
    {metadata_of_truncation}
from (
    select
        {keys_of_arrived},
        {metadata_from_truncations}
    from {arrived}
    join {truncations} on {arrived}."_position" < {truncations}."_position"
    left join {change_log}
    on {change_log}."_position" = {truncations}."_position"
    and {same_key_as_change_log}
    where {arrived}."_op" <> 'T'
        and {change_log}."_position" is null
    union
    select
        {key_of_change_log},
        {metadata_from_truncations}
    from {change_log}
    join {truncations} on {change_log}."_position" < {truncations}."_position"
    where {truncations}."_batch" = {batch}
) as ended
