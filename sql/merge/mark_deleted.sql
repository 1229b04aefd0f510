update {target}
set
    "_deleted_at" = {tombstones}."_deleted_at",
    "_batch" = {batch},
    "_applied_at" = sysdate
from {tombstones}
where {same_key_as_deleted}
    and {target}."_position" < {tombstones}."_position"
    and {tombstones}."_batch" = {batch}
    -- mark_merged has marked the rows of this batch. Rows from before Tidegate have no batch.
    and coalesce({target}."_batch", 0) <> {batch}
