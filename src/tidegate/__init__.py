"""Tidegate keeps tables in Amazon Redshift equal to their sources."""
