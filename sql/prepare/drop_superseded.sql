delete from changes
where refusal is null
    and path in (select unnest(?))
