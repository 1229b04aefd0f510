"""The formats of landed files: how DuckDB reads them, and which columns their records have."""
