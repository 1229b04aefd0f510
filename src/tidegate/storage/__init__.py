"""The S3 buckets: reads landed objects, and reads and writes the documents of batches."""
