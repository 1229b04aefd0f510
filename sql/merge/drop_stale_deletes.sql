delete from {changes}
using {tombstones}
where {same_key_as_tombstones}
    and {changes}."_op" = 'D'
    and {changes}."_position" <= {tombstones}."_position"
