"""The buckets: what landed is read, and documents of batches are read and written."""
