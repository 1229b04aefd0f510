insert into {target} (
    {columns},
    "valid_from",
    "valid_to",
    "is_current",
    "_position",
    "_batch",
    "_applied_at"
)
select
    {columns_of_change_log},
    {versions}."_valid_from",
    {versions}."_valid_to",
    {versions}."_valid_to" is null,
    {change_log}."_position",
    {change_log}."_batch",
    sysdate
from {change_log}
join {versions} on {same_version}
-- A version that ends when it begins was never visible.
where {versions}."_valid_to" is null
    or {versions}."_valid_from" < {versions}."_valid_to"
