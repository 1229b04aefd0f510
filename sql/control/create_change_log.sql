create table if not exists {change_log} (
    {declared_logged},
    {declared_changes},
    "_batch" bigint
)
distkey ({key_distkey})
sortkey auto
