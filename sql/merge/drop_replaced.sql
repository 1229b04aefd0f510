delete from {changes}
where (select max("_position") from {changes}) < (select max(first_position) from {batches})
