create table if not exists {target} (
    {declared_columns},
    "_position" varchar({position_bytes}),
    "_batch" bigint,
    "_applied_at" timestamp
)
{target_distribution}
{target_sorting}
