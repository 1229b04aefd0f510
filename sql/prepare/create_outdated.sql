create temporary table outdated (
    record bigint
)
