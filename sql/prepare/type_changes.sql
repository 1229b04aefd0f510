create table changes as
with numbered as (
    select
        landed.*,
        files.head,
        files.tail,
        landed.record - starts.record + 1 as row
    from landed
    join files using (path)
    join (
        select
            path,
            min(record) as record
        from landed
        group by path
    ) as starts using (path)
),

typed as (
    select
        *,
        {values},
        {sequence} as sequence
    from numbered
)

select
    {kept_values},
    operation,
    head || coalesce(sequence, '') || tail || {row} as position,
    case
        {refusals}
    end as refusal,
    path,
    record,
    row
from typed
