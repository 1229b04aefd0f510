delete from {changes}
using {target}
where {same_key_as_target}
    and {changes}."_op" <> 'D'
    and {changes}."_position" <= {target}."_position"
