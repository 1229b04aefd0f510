"""prepare_chunk: files of text become typed Parquet in the order of the target's columns."""
