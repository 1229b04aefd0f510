"""The demo: lands real change files on this machine, and shows how the warehouse follows."""
