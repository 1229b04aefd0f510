create table if not exists {tombstones} (
    {declared_key},
    "_position" varchar({position_bytes}),
    "_batch" bigint,
    "_deleted_at" timestamp
)
distkey ({key_distkey})
sortkey auto
