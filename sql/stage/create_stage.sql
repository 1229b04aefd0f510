create temporary table {stage} (
    {declared_stage},
    "_op" varchar(1),
    "_position" varchar({position_bytes})
)
distkey ({key_distkey})
