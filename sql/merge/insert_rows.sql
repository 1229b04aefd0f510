insert into {target} (
    {columns},
    "_position",
    "_batch",
    "_applied_at"
)
select
    {columns},
    "_position",
    {batch},
    sysdate
from {changes}
where "_op" <> 'D'
