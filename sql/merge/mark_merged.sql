update {target}
set
    "_deleted_at" = {tombstones}."_deleted_at",
    "_applied_at" = sysdate
from {tombstones}
where {same_key_as_deleted}
    and {target}."_position" < {tombstones}."_position"
    and {target}."_batch" = {batch}
