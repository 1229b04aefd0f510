insert into outdated
select
    changes.rowid
from changes
join files using (path)
where files.head = {head}
    and split_part(changes.sequence, ' ', 1) <= {as_of}
