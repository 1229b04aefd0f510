"""A local warehouse: DuckDB that speaks, refuses and fails like Redshift.

A client's bytes become messages (`server`, `handshake`, `conversation`), a text becomes a statement
(`grammar`, `refusals`), a statement runs in a session (`session`, `transaction`, `locks`) on DuckDB
(`cluster`), and DuckDB's errors come back in Redshift's words (`translation`).

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
