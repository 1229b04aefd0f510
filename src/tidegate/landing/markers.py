"""Recognises marker objects, such as `_SUCCESS`, which tools leave beside data and hold none."""

from fnmatch import fnmatchcase

# Other names that begin with "_" or "." are not listed: they may be a person's data.
_NAMES = (
    # Hadoop and Spark: a job has ended.
    # https://apache.github.io/hadoop/api/org/apache/hadoop/mapreduce/lib/output/FileOutputCommitter.html
    "_SUCCESS",
    # Databricks: the same. https://docs.databricks.com/en/archive/legacy/dbio-commit.html
    "_started_*",
    "_committed_*",
    # Footers of the Parquet files beside them: https://arrow.apache.org/docs/python/parquet.html
    "_metadata",
    "_common_metadata",
    # Hadoop: checksums, and an unfinished copy, which "-put" renames when it is complete.
    ".*.crc",
    "_SUCCESS.crc",
    "*._COPYING_",
    # EMR: a folder exists. https://repost.aws/knowledge-center/emr-s3-empty-files
    "*_$folder$",
    # The Finder of macOS.
    ".DS_Store",
)
# Unfinished jobs of Hadoop and Spark, and the log of Spark's streaming sink.
_FOLDERS = frozenset({"_temporary", "_spark_metadata"})


def is_marker(key: str) -> bool:
    """Tell whether an object with this key is known to hold no data."""
    *folders, name = key.split("/")
    known = any(fnmatchcase(name, pattern) for pattern in _NAMES)
    return not name or known or not _FOLDERS.isdisjoint(folders)
