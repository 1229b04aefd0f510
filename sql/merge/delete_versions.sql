delete from {target}
using {arrived}
where {same_key_as_target}
