insert into {truncations} (
    "_position",
    "_batch",
    "_changed_at"
)
select
    {arrived}."_position",
    {batch},
    {time_of_truncation}
from {arrived}
left join {truncations} on {truncations}."_position" = {arrived}."_position"
where {arrived}."_op" = 'T'
    and {truncations}."_position" is null
