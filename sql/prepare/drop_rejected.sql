delete from landed
where path in (select unnest(?))
