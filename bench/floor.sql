-- The floor: raw DuckDB with the same guarded merge, and nothing else.
begin;

create or replace temp table changes as
select
    *
from (
    select
        op,
        seq,
        id::bigint as id,
        name,
        email,
        amount::decimal(12, 2) as amount,
        quantity::integer as quantity,
        rate::double as rate,
        active::boolean as active,
        born::date as born,
        updated_at::timestamp as updated_at,
        note
    from read_csv(
        '{path}',
        header = false,
        auto_detect = false,
        delim = ',',
        quote = '"',
        escape = '"',
        nullstr = '\N',
        columns = {
            'op': 'varchar', 'seq': 'varchar', 'id': 'varchar', 'name': 'varchar',
            'email': 'varchar', 'amount': 'varchar', 'quantity': 'varchar', 'rate': 'varchar',
            'active': 'varchar', 'born': 'varchar', 'updated_at': 'varchar', 'note': 'varchar'
        }
    )
)
qualify row_number() over (partition by id order by seq desc) = 1;

delete from changes using accounts
where changes.id = accounts.id and changes.seq <= accounts.seq;

delete from changes using tombstones
where changes.id = tombstones.id and changes.seq <= tombstones.seq;

delete from tombstones using changes
where tombstones.id = changes.id;

insert into tombstones select id, seq from changes where op = 'D';

delete from accounts using changes
where accounts.id = changes.id and changes.op = 'D';

merge into accounts
using (select * from changes where op <> 'D') as changes
on accounts.id = changes.id
when matched then update set
    seq = changes.seq,
    name = changes.name,
    email = changes.email,
    amount = changes.amount,
    quantity = changes.quantity,
    rate = changes.rate,
    active = changes.active,
    born = changes.born,
    updated_at = changes.updated_at,
    note = changes.note
when not matched then insert values (
    changes.seq, changes.id, changes.name, changes.email, changes.amount, changes.quantity,
    changes.rate, changes.active, changes.born, changes.updated_at, changes.note
);

commit;
