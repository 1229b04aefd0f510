create temporary table changes (
    {values},
    operation varchar,
    sequence varchar,
    refusal varchar,
    path varchar,
    of_record bigint
)
