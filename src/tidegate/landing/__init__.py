"""Landing: register_files routes each landed object to its table, and records it once."""
