"""Queries of the demo, through the driver that users use."""

import os
from contextlib import closing

import redshift_connector


def query(sql: str) -> tuple[list[str], list[list[object]]]:
    """The column names and rows of a query, from the warehouse the environment points at."""
    with closing(
        redshift_connector.connect(
            host=os.environ["PGHOST"],
            port=int(os.environ["PGPORT"]),
            database=os.environ["PGDATABASE"],
            user=os.environ["PGUSER"],
            password=os.environ["PGPASSWORD"],
            ssl=False,
        )
    ) as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return [column[0] for column in cursor.description], list(cursor.fetchall())
