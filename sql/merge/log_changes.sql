insert into {change_log} (
    {columns},
    {metadata},
    "_batch"
)
select
    {columns},
    {metadata},
    {batch}
from {arrived}
