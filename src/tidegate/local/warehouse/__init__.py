"""A local warehouse: DuckDB that answers, refuses and fails like Redshift.

This is how a statement goes from the socket to DuckDB and back. Each line is a module:

    client
      |  protocol    server        accepts the client, gives it a thread and a session
      |              handshake     checks the password
      |              conversation  reads messages: the statement's text and its parameters
      |  statements  grammar       finds the statement by its first word
      |              queries, ...  read the rest: one module for each family of statements
      |  dialect     dialect       checks the SQL of a query or change, translates it to DuckDB's
      |  engine      execution     checks that it may run now, calls its run(session, parameters)
      |              session       takes its locks and its snapshot
      v
    DuckDB           session.cursor, a connection to the one database of the cluster
      |  language    translation   turns DuckDB's error into Redshift's
      |  protocol    portal        gives the rows to the client as it asks for them
      v              values        turns each value into bytes
    client

A package imports only from packages below it:

    protocol           messages and bytes
    statements         the statements of Redshift, one class each
    dialect | engine   SQL translation | sessions, transactions, locks; neither imports the other
    files              the files that COPY loads and UNLOAD writes
    catalog            tables and columns, system views and functions, history
    language           words, types, options and errors

Known differences from Redshift:

- Trailing blanks count in comparisons ('a' <> 'a '). CHAR(n) is stored and returned without them.
- AVG of integers is a double. SUM of integers is a numeric. Decimal division returns a double.
- The isolation is SNAPSHOT. The second writer of a row gets 1023 at once instead of waiting.
- GETDATE() does not change within a transaction.
- A simple query with several statements commits each statement by itself.
- IDENTITY, procedures, cursors, materialized and external objects are refused as not supported.
"""

from tidegate.local.warehouse.protocol.server import Warehouse

__all__ = ["Warehouse"]
