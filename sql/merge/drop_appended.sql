delete from {changes}
using {target}
where {changes}."_position" = {target}."_position"
