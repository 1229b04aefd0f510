delete from {target}
where "_position" < (select max("_position") from {truncations} where "_batch" = {batch})
