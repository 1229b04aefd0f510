"""Redshift's words, types, options and errors."""
