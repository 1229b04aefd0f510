set query_group to {label}
