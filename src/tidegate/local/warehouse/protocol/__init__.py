"""Speaks the PostgreSQL wire protocol with a client: messages and bytes."""
