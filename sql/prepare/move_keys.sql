insert into changes (
    {keys},
    operation,
    sequence,
    path,
    of_record
)
select
    {images},
    'D',
    sequence,
    path,
    rowid
from changes
where operation = 'U'
    and refusal is null
    and ({moved})
