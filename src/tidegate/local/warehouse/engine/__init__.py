"""Sessions, transactions and locks; a session does not know what statements there are."""
