create table if not exists {batches} (
    batch bigint not null,
    fence bigint not null,
    first_position varchar({position_bytes}),
    last_position varchar({position_bytes}),
    rows_staged bigint not null,
    rows_inserted bigint not null,
    rows_updated bigint not null,
    rows_deleted bigint not null,
    rows_stale bigint not null,
    applied_at timestamp not null
)
diststyle all
sortkey (batch)
