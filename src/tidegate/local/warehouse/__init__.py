"""A local warehouse: DuckDB that speaks, refuses and fails like Redshift.

The way of a statement from the socket to DuckDB and back. Each line is a module:

    client
      |  protocol    server        accepts the client, gives it a thread and a session
      |              handshake     checks the password
      |              conversation  reads messages: the text of a statement, its parameters
      |  statements  grammar       finds the statement by its first word
      |              queries, ...  read the rest: a module for each family of statements
      |  dialect     dialect       checks the SQL of a query or change, puts it into DuckDB's
      |  engine      execution     asks whether it may run now, calls its run(session, parameters)
      |              session       takes its locks, and its snapshot
      v
    DuckDB           session.cursor, a connection to the one database of the cluster
      |  language    translation   puts DuckDB's error into Redshift's words
      |  protocol    portal        hands out the rows as the client asks for them
      v              values        turns each value into bytes
    client

A floor imports from the floors below it, and never from one above:

    protocol           messages and bytes
    statements         what Redshift can be told
    dialect | engine   its SQL | sessions, transactions and locks; neither knows the other
    files              what COPY loads and UNLOAD writes
    catalog            tables and columns, system views and functions, history
    language           words, types, options and errors

What differs from Redshift, knowingly:

- Trailing blanks count in comparisons ('a' <> 'a '). CHAR(n) is kept and given without them.
- AVG of integers is a double, SUM of any integer a numeric; decimal division gives a double.
- The isolation is SNAPSHOT, and the second writer of a row gets 1023 at once instead of waiting.
- GETDATE() stands still within a transaction.
- A simple query of several statements commits each of them by itself.
- IDENTITY, procedures, cursors, materialized and external objects are refused as not supported.
"""

from tidegate.local.warehouse.protocol.server import Warehouse

__all__ = ["Warehouse"]
