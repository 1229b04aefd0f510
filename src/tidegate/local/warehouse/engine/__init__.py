"""Runs statements in sessions, transactions and locks on DuckDB."""
