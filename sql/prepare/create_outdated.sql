create table outdated (
    record bigint
)
