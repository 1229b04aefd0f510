"""Checks each call by a role against the role's policies in the template."""
