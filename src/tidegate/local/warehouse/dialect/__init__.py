"""Puts Redshift's SQL into DuckDB's, and refuses what Redshift refuses."""
