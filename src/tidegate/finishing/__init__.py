"""The steps commit_batch and fail_batch: they record in the ledger how a batch ended."""
