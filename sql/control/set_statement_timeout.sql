set statement_timeout to {milliseconds}
