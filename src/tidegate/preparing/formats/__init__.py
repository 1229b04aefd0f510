"""The formats of landed files: how DuckDB reads each, and which columns its records have."""
