"""Sessions, transactions and locks; a session runs any statement and knows none by name."""
