"""register_files: objects that landed are routed to their tables and recorded, once each."""
