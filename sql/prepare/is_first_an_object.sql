select
    coalesce(json_type(line) = 'OBJECT', false)
from read_ndjson_objects({paths}, filename = 'path', ignore_errors = true) as lines (line, path)
limit 1
