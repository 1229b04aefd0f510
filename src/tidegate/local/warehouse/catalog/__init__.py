"""The catalogue: tables and columns, system views and functions, the history of statements."""
