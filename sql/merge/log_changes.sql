insert into {change_log} (
    {columns},
    {own},
    "_batch"
)
select
    {columns},
    {own},
    {batch}
from {arrived}
