update {target}
set
    "_deleted_at" = sysdate,
    "_position" = (select max("_position") from {truncations}),
    "_batch" = {batch},
    "_applied_at" = sysdate
where "_position" < (select max("_position") from {truncations} where "_batch" = {batch})
    and "_deleted_at" is null
