copy (
    select
        {columns},
        changes.operation as _op,
        changes.position as _position
    from changes
    where changes.refusal is null
    qualify row_number() over (partition by {key} order by changes.position desc) = 1
) to {path} (format parquet, compression snappy)
