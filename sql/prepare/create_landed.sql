create table landed (
    operation varchar,
    {fields},
    path varchar,
    record bigint
)
