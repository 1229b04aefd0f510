"""Puts Redshift's SQL into DuckDB's."""
