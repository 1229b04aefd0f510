copy {stage}
from {manifest}
iam_role {copy_role}
format as parquet
manifest
