"""sweep_tables: what events and runs may have missed is found by looking."""
