"""The demo: real change files land, and the warehouse follows, on this machine."""
