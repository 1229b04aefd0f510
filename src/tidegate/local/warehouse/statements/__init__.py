"""Every statement Redshift has: read from its text, and run in a session."""
