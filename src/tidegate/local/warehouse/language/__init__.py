"""Redshift's words, types and errors."""
