"""The demo's queries to the warehouse, through the same driver that users have."""

import os
from collections.abc import Sequence
from contextlib import closing

import redshift_connector

NAMES = ("customer", "first_name", "last_name", "postcode", "credit_limit")
Rows = dict[str, tuple[str, ...]]

_ROWS = """
select customer_number, contact_first_name, contact_last_name, postal_code, credit_limit
from sales.customers
order by customer_number
"""
_LAST_BATCH = """
select rows_inserted, rows_updated, rows_deleted
from tidegate.sales__customers__batches
order by batch desc
limit 1
"""
_WATERMARK = """
select max(last_position)
from tidegate.sales__customers__batches
"""


def read_rows() -> Rows:
    """The rows of sales.customers as text, by key."""
    texts = [tuple("" if one is None else str(one) for one in row) for row in _query(_ROWS)]
    return {row[0]: row for row in texts}


def read_last_batch() -> str:
    """The counts of the last batch, as text."""
    [[inserted, updated, deleted]] = _query(_LAST_BATCH)
    return f"{inserted} inserted, {updated} updated, {deleted} deleted"


def read_watermark() -> str | None:
    """The highest position of all batches; None if no batch has applied anything."""
    [[position]] = _query(_WATERMARK)
    return None if position is None else str(position)


def _query(sql: str) -> Sequence[Sequence[object]]:
    with closing(
        redshift_connector.connect(
            host=os.environ["PGHOST"],
            port=int(os.environ["PGPORT"]),
            database=os.environ["PGDATABASE"],
            user=os.environ["PGUSER"],
            password=os.environ["PGPASSWORD"],
        )
    ) as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        rows: Sequence[Sequence[object]] = cursor.fetchall()
        return rows
