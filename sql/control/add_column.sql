alter table {target} add column {column} {type}
