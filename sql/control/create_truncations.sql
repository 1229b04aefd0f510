create table if not exists {truncations} (
    "_position" varchar({position_bytes}),
    "_batch" bigint,
    "_changed_at" timestamp
)
diststyle all
sortkey auto
