create temporary table {stage} (
    {declared_stage}
)
{stage_distribution}
