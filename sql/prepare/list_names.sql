select
    name
from (
    select distinct
        unnest(json_keys(line)) as name
    from read_ndjson_objects({paths}, filename = 'path', ignore_errors = true) as lines (line, path)
    where json_type(line) = 'OBJECT'
) as named
order by
    name <> {operation},
    name
limit {most}
