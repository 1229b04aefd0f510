create table if not exists {target} (
    {declared_columns},
    {declared_own}
)
{target_distribution}
{target_sorting}
