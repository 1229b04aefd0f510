"""Keeps what Redshift's catalogue and system views tell."""
