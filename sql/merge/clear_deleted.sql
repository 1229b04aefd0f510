delete from {tombstones}
using {changes}
where {same_key_as_tombstones}
    and {changes}."_op" = 'D'
