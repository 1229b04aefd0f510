insert into files
select
    unnest(?),
    unnest(?),
    unnest(?),
    unnest(?)
