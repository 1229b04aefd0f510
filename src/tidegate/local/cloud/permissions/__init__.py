"""What the roles of the template may do: each call by a role is held against its policies."""
