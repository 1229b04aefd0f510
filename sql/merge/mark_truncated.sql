update {target}
set
    "_deleted_at" = sysdate,
    "_batch" = {batch},
    "_applied_at" = sysdate
where "_deleted_at" is null
    and "_position" < (select max("_position") from {truncations})
