"""The statements of Redshift: parsed here, run in a session."""
