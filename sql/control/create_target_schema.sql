create schema if not exists {target_schema}
