create table if not exists {target} (
    {declared_columns},
    {declared_metadata}
)
{target_distribution}
{target_sorting}
