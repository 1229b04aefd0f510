create temporary table refused (
    file varchar,
    record bigint,
    reason varchar,
    operation varchar,
    fields json
)
