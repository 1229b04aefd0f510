select distinct
    unnest(json_keys(line))
from read_ndjson_objects({paths}, filename = 'path', ignore_errors = true) as lines (line, path)
where json_type(line) = 'OBJECT'
