"""Keeps Amazon Redshift equal to its sources."""
