insert into {target} (
    {columns},
    "_op",
    "_position",
    "_batch",
    "_applied_at"
)
select
    {columns},
    "_op",
    "_position",
    {batch},
    sysdate
from {changes}
