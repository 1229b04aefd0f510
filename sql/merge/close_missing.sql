insert into {arrived} (
    {key_columns},
    "_op",
    "_position",
    "_changed_at"
)
select
    {keys_of_target},
    'D',
    {begin_of_epoch},
    {taken_at}
from {target}
left join {arrived} on {same_key_as_arrived}
where {first_key_arrived} is null
    and {target}."is_current"
