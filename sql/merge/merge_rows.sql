merge into {target}
using {changes}
on {same_key_as_target}
when matched then update set
    {assignments},
    "_batch" = {batch},
    "_applied_at" = sysdate
when not matched then insert (
    {columns},
    "_position",
    "_batch",
    "_applied_at"
) values (
    {columns_of_changes},
    {changes}."_position",
    {batch},
    sysdate
)
