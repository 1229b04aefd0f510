"""dlt at the same job, in its own environment. Run as a module, it answers calls of bench.peer.

It merges into DuckDB by key, with hard deletes and the newest change of each key. It reads CSV with
Arrow. That is the fastest way in dlt's documentation
(https://dlthub.com/docs/general-usage/merge-loading and
https://dlthub.com/docs/dlt-ecosystem/verified-sources/arrow-pandas). It has no guard against late
changes.
"""

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

_TYPES = {
    "seq": pa.string(),
    "id": pa.int64(),
    "name": pa.string(),
    "email": pa.string(),
    "amount": pa.decimal128(12, 2),
    "quantity": pa.int32(),
    "rate": pa.float64(),
    "active": pa.bool_(),
    "born": pa.date32(),
    "updated_at": pa.timestamp("us"),
    "note": pa.string(),
}
_HINTS: Any = {"deleted": {"hard_delete": True}, "seq": {"dedup_sort": "desc"}}


class Pipeline:
    """A dlt pipeline whose destination is a DuckDB file in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._database = str(folder / "dlt.duckdb")
        self._pipeline = dlt.pipeline(
            "bench",
            pipelines_dir=str(folder / "pipelines"),
            destination=dlt.destinations.duckdb(self._database),
            dataset_name="bench",
        )

    def load(self, path: str, *, has_operation: bool = True) -> float:
        """Extract, normalise and load a file; return the seconds it took."""
        started = time.perf_counter()
        accounts = dlt.resource(
            lambda: iter([_read(path, has_operation=has_operation)]),
            name="accounts",
            primary_key="id",
            write_disposition={"disposition": "merge", "strategy": "delete-insert"},
            columns=_HINTS,
        )
        self._pipeline.run(accounts).raise_on_failed_jobs()
        return time.perf_counter() - started

    def begin(self, path: str) -> None:
        """Load the snapshot, and keep a copy of the table for `reset`."""
        self.load(path, has_operation=False)
        self._run("create or replace table base as from bench.accounts")

    def reset(self) -> None:
        """Restore the table to its state after `begin`."""
        self._run("delete from bench.accounts", "insert into bench.accounts from base")

    def write_rows(self, path: str) -> None:
        """Write the rows as Parquet, ordered by key."""
        columns = ", ".join(name for name in _TYPES if name != "seq")
        # dlt gives every timestamp a zone.
        rows = f"select {columns} from bench.accounts order by id"
        naive = "replace (updated_at::timestamp as updated_at)"
        self._run(f"copy (select * {naive} from ({rows})) to '{path}'")

    def _run(self, *statements: str) -> None:
        with duckdb.connect(self._database) as connection:
            for statement in statements:
                connection.execute(statement)


def _read(path: str, *, has_operation: bool) -> pa.Table:
    names = ["op", *_TYPES] if has_operation else list(_TYPES)
    read = csv.read_csv(
        path,
        read_options=csv.ReadOptions(column_names=names),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=_TYPES, null_values=["\\N"], strings_can_be_null=True
        ),
    )
    if not has_operation:
        return read.append_column("deleted", pa.nulls(len(read), pa.bool_()))
    return read.drop_columns("op").append_column("deleted", pc.equal(read["op"], "D"))


def main() -> None:
    """Answer calls in JSON lines, each a method and its arguments."""
    # dlt prints to the standard output, so answers go to a copy of it.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    pipeline = Pipeline(Path(sys.argv[1]))
    for line in sys.stdin:
        method, arguments = json.loads(line)
        try:
            answer = {"given": getattr(pipeline, method)(*arguments)}
        except Exception:
            answer = {"failure": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
