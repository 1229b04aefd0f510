"""What Redshift can be told: each statement is read here, and runs in a session."""
