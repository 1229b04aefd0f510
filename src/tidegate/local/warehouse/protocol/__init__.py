"""Speaks the PostgreSQL wire protocol with a client."""
