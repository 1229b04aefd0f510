copy (
    select
        {columns}
    from changes
    join files using (path)
    anti join outdated on outdated.record = changes.rowid
    where changes.refusal is null
) to {path} (
    format parquet,
    compression snappy,
    row_group_size {row_group_size},
    write_timestamp_as_int96 true
)
