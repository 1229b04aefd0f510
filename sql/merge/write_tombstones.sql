insert into {tombstones} (
    {key_columns},
    "_position",
    "_batch",
    "_deleted_at"
)
select
    {key_columns},
    "_position",
    {batch},
    sysdate
from {changes}
where "_op" = 'D'
