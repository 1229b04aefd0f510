select
    count(*) - count({target}.{first_key}) as rows_inserted,
    count({target}.{first_key}) as rows_updated
from {changes}
left join {target} on {same_key_as_target}
where {changes}."_op" <> 'D'
