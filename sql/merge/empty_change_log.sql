delete from {change_log}
