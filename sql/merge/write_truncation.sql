insert into {truncations} (
    "_position",
    "_batch"
)
select
    max("_position"),
    {batch}
from {changes}
where "_op" = 'T'
having count(*) > 0
