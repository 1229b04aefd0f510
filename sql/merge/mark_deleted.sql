update {target}
set
    "_deleted_at" = {tombstones}."_deleted_at",
    "_batch" = {batch},
    "_applied_at" = sysdate
from {tombstones}
where {same_key_as_deleted}
    and {target}."_position" < {tombstones}."_position"
    and {tombstones}."_batch" = {batch}
    -- mark_merged has marked those of this batch; rows that were there before Tidegate have none.
    and coalesce({target}."_batch", 0) <> {batch}
