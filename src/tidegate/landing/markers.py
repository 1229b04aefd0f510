"""Names of objects that tools leave beside data, and that hold none of it."""

from fnmatch import fnmatchcase

# No other name that begins with "_" or "." is here: it may be a person's, and would be lost.
_NAMES = (
    # That a job has ended, of Hadoop and Spark:
    # https://apache.github.io/hadoop/api/org/apache/hadoop/mapreduce/lib/output/FileOutputCommitter.html
    "_SUCCESS",
    # The same of Databricks: https://docs.databricks.com/en/archive/legacy/dbio-commit.html
    "_started_*",
    "_committed_*",
    # Footers of Parquet files that lie beside them: https://arrow.apache.org/docs/python/parquet.html
    "_metadata",
    "_common_metadata",
    # Checksums, and a copy under way, of Hadoop: "-put" renames it at its end.
    ".*.crc",
    "_SUCCESS.crc",
    "*._COPYING_",
    # That there is a folder: https://repost.aws/knowledge-center/emr-s3-empty-files
    "*_$folder$",
    # Of the Finder of macOS.
    ".DS_Store",
)
# Of jobs that are not at their end, and of what Spark streams.
_FOLDERS = frozenset({"_temporary", "_spark_metadata"})


def is_marker(key: str) -> bool:
    """Whether the object of that key is known to hold no data."""
    *folders, name = key.split("/")
    known = any(fnmatchcase(name, pattern) for pattern in _NAMES)
    return not name or known or not _FOLDERS.isdisjoint(folders)
