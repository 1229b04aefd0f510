(
        select
            case
                when regexp_matches(line, '[\s:,\[]-?[0-9][0-9.]{{16}}') then {exact_texts}
                else line ->> {pointers}
            end as texts,
            json_type(line, {pointers}) as types,
            coalesce(json_type(line) = 'OBJECT', false) as is_object,
            line,
            path
        from read_ndjson_objects({paths}, filename = 'path', ignore_errors = true) as lines (line, path)
    ) as records
