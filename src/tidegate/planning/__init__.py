"""Planning: plan_batch cuts pending files into a batch, and writes the plan of what will run."""
