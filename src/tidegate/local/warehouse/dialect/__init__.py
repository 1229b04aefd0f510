"""Translates Redshift's SQL to DuckDB's and refuses SQL that Redshift refuses."""
