"""plan_batch: what waits becomes a batch, its chunks, and one plan that says all that will run."""
