update files
set
    first_record = counted.first_record,
    records = counted.records,
    refused = counted.refused
from (
    select
        path,
        min(rowid) as first_record,
        count(*) as records,
        count(refusal) as refused
    from changes
    group by path
) as counted
where files.path = counted.path
