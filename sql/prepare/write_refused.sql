copy (
    select
        files.key as file,
        changes.row as record,
        changes.refusal as reason,
        landed.operation,
        json_object({fields}) as fields
    from changes
    join landed using (path, record)
    join files using (path)
    where changes.refusal is not null
    order by files.key, changes.row
) to {path} (format json)
