delete from {change_log}
using {superseded}
where {same_key_as_superseded}
    and {change_log}."_position" = {superseded}."_position"
