set json_parse_dedup_attributes to on
