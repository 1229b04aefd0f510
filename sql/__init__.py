"""The SQL that Tidegate runs, one operation a file."""
