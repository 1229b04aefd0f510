insert into refused
with numbered as (
    select
        {operation} as operation,
        {fields} as fields,
        row_number() over () as row
    from {records}
)

select
    files.key,
    numbered.row,
    changes.refusal,
    numbered.operation,
    numbered.fields
from changes
join files using (path)
join numbered on numbered.row = changes.rowid - files.first_record + 1
where files.path = {path}
    and changes.refusal is not null
