"""Redshift's tokens, types, options and errors."""
