(
        select
            case
                when {is_repeated} then {last_texts}
                when regexp_matches(
                        line,
                        '("\s*:|[\[,])\s*(-?([0-9][0-9.]{{16}}|[0-9]+\.[0-9]+0[^0-9]|0\.0000|[0-9.]+[eE])|-0[^.])'
                    )
                    and (
                        list_has_any(json_type(line, {as_written}), ['DOUBLE', 'BIGINT', 'OBJECT', 'ARRAY'])
                        or regexp_matches(line, '("\s*:|[\[,])\s*-?[0-9][0-9.]{{16}}')
                    )
                    then {exact_texts}
                else line ->> {pointers}
            end as texts,
            case
                when {is_repeated} then {last_types}
                else json_type(line, {pointers})
            end as types,
            coalesce(json_type(line) = 'OBJECT', false) as is_object,
            line,
            path
        from read_ndjson_objects({paths}, filename = 'path', ignore_errors = true) as lines (line, path)
    ) as records
