select
    path,
    count(*),
    count(refusal)
from changes
group by path
