create table if not exists {truncations} (
    "_position" varchar({position_bytes}),
    "_batch" bigint
)
diststyle all
sortkey auto
