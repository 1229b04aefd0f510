"""The step sweep_tables: finds, on a schedule, the work that events and runs missed."""
