create schema if not exists {control_schema}
