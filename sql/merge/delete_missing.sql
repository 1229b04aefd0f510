insert into {arrived} (
    {key_columns},
    "_op",
    "_position"
)
select
    {keys_of_target},
    'D',
    {begin_of_epoch}
from {target}
left join {arrived} on {same_key_as_arrived}
where {first_key_arrived} is null
    and {target}."_deleted_at" is null
