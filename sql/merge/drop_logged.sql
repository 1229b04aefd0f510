delete from {arrived}
using {change_log}
where {same_key_as_change_log}
    and {arrived}."_position" = {change_log}."_position"
