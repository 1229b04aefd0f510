select count(*) as rows_deleted
from {target}
join {tombstones} on {same_key_as_deleted}
left join {changes} on {same_key_as_target}
where {target}."_deleted_at" is null
    and {tombstones}."_batch" = {batch}
    and {tombstones}."_position" > {target}."_position"
    and ({changes}."_position" is null or {changes}."_position" < {tombstones}."_position")
