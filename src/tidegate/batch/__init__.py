"""What all steps share: what landed, the plan of a batch, and what became of it."""
