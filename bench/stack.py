"""A local stack for the length of the benchmark."""
