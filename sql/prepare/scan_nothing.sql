(
        select null::varchar as path
        limit 0
    ) as records
