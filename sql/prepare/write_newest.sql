copy (
    select
        {columns},
        operation as _op,
        position as _position
    from changes
    where refusal is null
    qualify row_number() over (partition by {key} order by position desc) = 1
) to {path} (format parquet, compression snappy)
