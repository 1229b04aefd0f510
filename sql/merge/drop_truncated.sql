delete from {changes}
where "_position" <= (select max("_position") from {truncations})
