update {target}
set
    "_deleted_at" = coalesce({target}."_deleted_at", sysdate),
    "_position" = {changes}."_position",
    "_batch" = {batch},
    "_applied_at" = sysdate
from {changes}
where {same_key_as_target}
    and {changes}."_op" = 'D'
