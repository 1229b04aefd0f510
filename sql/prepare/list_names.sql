with written as materialized (
    select distinct
        json_keys(line) as names
    from read_ndjson_objects({paths}, filename = 'path', ignore_errors = true) as lines (line, path)
    where json_type(line) = 'OBJECT'
)

select
    name,
    (select bool_or(len(names) > list_unique(names)) from written) as is_repeated
from (
    select distinct
        unnest(names) as name
    from written
) as named
order by
    name <> {operation},
    name
limit {most}
