create temporary table files (
    path varchar,
    key varchar,
    head varchar,
    tail varchar,
    first_record bigint,
    records bigint default 0,
    refused bigint default 0
)
