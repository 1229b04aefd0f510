"""The local stack: the deployed app on a laptop."""
