lock table {batches}
