create table files (
    path varchar,
    key varchar,
    head varchar,
    tail varchar
)
