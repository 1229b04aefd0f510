copy (
    select * from refused
    order by file, record
) to {path} (format json)
