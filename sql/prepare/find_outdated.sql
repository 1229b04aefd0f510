insert into outdated
with repeated as (
    select
        {key}
    from changes
    where refusal is null
    group by {key}
    having count(*) > 1
),

ranked as (
    select
        changes.rowid as record,
        row_number() over (
            partition by {identity}
            order by {position} desc, changes.rowid desc
        ) as rank
    from changes
    join files using (path)
    semi join repeated using ({key})
    anti join outdated on outdated.record = changes.rowid
    where changes.refusal is null
)

select
    record
from ranked
where rank > 1
