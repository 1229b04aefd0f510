"""Reads and writes the files of COPY and UNLOAD."""
