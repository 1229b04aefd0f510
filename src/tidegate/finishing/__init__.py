"""commit_batch and fail_batch: what a run ends with, good or bad, goes into the ledger."""
