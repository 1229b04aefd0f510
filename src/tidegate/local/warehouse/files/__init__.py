"""The S3 files that COPY loads and UNLOAD writes."""
