"""`make demo`: the real app, deployed on a local stack, keeps one table equal to its source."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from rich.console import Console
from rich.table import Table

from demo.following import follow_runs
from demo.warehouse import query

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "demo" / "customers"
PREFIX = "dms/classicmodels/customers/"
TIDEGATE = Path(sys.executable).parent / "tidegate"
COLUMNS = "customer_number, contact_first_name, contact_last_name, phone, postal_code, credit_limit"
SHOWN = f"select {COLUMNS} from sales.customers where customer_number in (112, 186, 201, 497, 502)"

console = Console(highlight=False)


def main() -> None:
    """Start a stack, land a full load and changes, then one more change file, and show it all."""
    started = time.monotonic()
    with _local_stack():
        _land("LOAD00000001.csv", "20240809-192717787.csv")
        _show_rows("The table after the full load and the first changes")
        _show_watermark()
        _land("20240810-081500000.csv")
        _show_rows("The table after one more change file: 112 changed, 186 gone, 502 new")
        _show_watermark()
    console.print(f"\nThat took {time.monotonic() - started:.0f} s. What you type next:\n")
    _say_what_to_type_next()


@contextmanager
def _local_stack() -> Iterator[None]:
    port, warehouse_port = _free_ports()
    console.rule("[bold]A stack of its own: the template, deployed on this machine")
    _tidegate("local", "up", "--detach", f"--port={port}", f"--warehouse-port={warehouse_port}")
    try:
        os.environ.update(_environment(port))
        yield
    finally:
        _tidegate("local", "down", f"--port={port}")


def _free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def _environment(port: int) -> dict[str, str]:
    exports = subprocess.run(
        [TIDEGATE, "local", "env", f"--port={port}"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    shown = subprocess.run(
        ["/bin/sh", "-c", f"{exports}\nenv -0"], check=True, capture_output=True, text=True
    ).stdout
    return dict(line.split("=", 1) for line in shown.split("\0") if "=" in line)


def _land(*names: str) -> None:
    bucket = os.environ["TIDEGATE_LANDING_BUCKET"]
    console.rule(f"[bold]Landing {' and '.join(names)}")
    for name in names:
        boto3.client("s3").upload_file(str(FILES / name), bucket, PREFIX + name)
        console.print(f"  s3://{bucket}/{PREFIX}{name}")
    with follow_runs(console):
        _tidegate("wait", "--timeout=60")


def _tidegate(*arguments: str) -> None:
    subprocess.run([TIDEGATE, *arguments], check=True, cwd=ROOT)


def _show_rows(title: str) -> None:
    names, rows = query(f"{SHOWN} order by customer_number")
    [[count]] = query("select count(*) from sales.customers")[1]
    shown = Table(title=f"{title} ({count} rows, some of them here)", title_justify="left")
    for name in names:
        shown.add_column(name)
    for row in rows:
        shown.add_row(*("" if value is None else str(value) for value in row))
    console.print(shown)


def _show_watermark() -> None:
    _, rows = query(
        "select rows_inserted, rows_updated, rows_deleted, last_position "
        "from tidegate.sales__customers__batches order by batch"
    )
    for inserted, updated, deleted, position in rows:
        counts = f"{inserted} inserted, {updated} updated, {deleted} deleted"
        console.print(f"  batch: {counts}; watermark [green]{position}[/green]")


def _say_what_to_type_next() -> None:
    tidegate = os.path.relpath(TIDEGATE, ROOT)
    console.print(
        f"  {tidegate} local up --detach        [dim]# a stack with your tables/*.yaml[/]"
    )
    console.print(f'  eval "$({tidegate} local env)"      [dim]# aws, boto3 and psql talk to it[/]')
    console.print(
        f"  aws s3 cp {FILES.relative_to(ROOT)}/LOAD00000001.csv s3://$TIDEGATE_LANDING_BUCKET/{PREFIX} "
        f"&& {tidegate} wait && psql -c 'select * from sales.customers'",
        soft_wrap=True,
    )


if __name__ == "__main__":
    main()
