"""The files that COPY loads and UNLOAD writes, and the S3 they lie in."""
