delete from changes
where path in (select unnest(?))
