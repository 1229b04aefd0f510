delete from {target}
using {changes}
where {same_key_as_target}
    and {changes}."_op" = 'D'
