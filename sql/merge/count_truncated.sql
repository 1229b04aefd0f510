select count(*) as rows_deleted
from {target}
left join {changes} on {same_key_as_target}
left join {tombstones} on {same_key_as_deleted}
where {target}."_deleted_at" is null
    and {target}."_position" < (select max("_position") from {truncations})
    and (
        {changes}."_position" is null
        or {changes}."_position" < (select max("_position") from {truncations})
    )
    -- count_deletes has already counted these rows.
    and (
        {tombstones}."_position" is null
        or {tombstones}."_position" < {target}."_position"
        or {tombstones}."_position" < {changes}."_position"
    )
