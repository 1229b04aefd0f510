insert into files (path, key, head, tail)
select
    unnest(?),
    unnest(?),
    unnest(?),
    unnest(?)
