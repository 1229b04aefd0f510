insert into changes
with texts as (
    select
        {operation} as operation,
        {fields},
        path
    from {records}
),

casts as (
    select
        *,
        {casts}
    from texts
),

typed as (
    select
        *,
        {values},
        {sequence} as sequence
    from casts
)

select
    {kept_values},
    operation,
    sequence,
    case
        {refusals}
    end as refusal,
    path,
    null as of_record
from typed
