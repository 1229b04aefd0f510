delete from {target}
where exists (select 1 from {changes})
