"""The benchmark: one job that peers can run as well, and what it costs Tidegate."""
