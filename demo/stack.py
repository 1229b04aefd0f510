"""Starts the demo's own local stack with `tidegate local up`, on free ports."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from tidegate.errors import LocalStackError
from tidegate.local.control import RunningStack

ROOT = Path(__file__).resolve().parent.parent
TIDEGATE = Path(sys.executable).parent / "tidegate"
STARTS_WITHIN = 60.0  # seconds
LOOKS_AGAIN = 0.1


@contextmanager
def local_stack(console: Console, tables: Path) -> Iterator[None]:
    """Run a stack with the contracts of `tables` while the body runs, and point AWS and PG* at it.

    Raises:
        LocalStackError: the stack does not start; the message says why.
    """
    port, warehouse_port = _free_ports()
    options = [f"--port={port}", f"--warehouse-port={warehouse_port}", f"--tables={tables}"]
    # The stack has its own session, so that Ctrl-C ends only the demo, which then ends the stack.
    process = subprocess.Popen(
        [TIDEGATE, "local", "up", *options],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        with console.status("starting"):
            description = _wait_until_ready(process, RunningStack(port))
        os.environ.update(description["environment"])
        _show(console, description)
        yield
    finally:
        process.terminate()
        process.wait()


def _free_ports() -> tuple[int, int]:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        return one.getsockname()[1], other.getsockname()[1]


def _wait_until_ready(process: subprocess.Popen[bytes], stack: RunningStack) -> dict[str, Any]:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            told = process.stderr.read().decode(errors="replace") if process.stderr else ""
            raise LocalStackError(f"the local stack did not start: {told.strip()}")
        try:
            description = stack.describe()
        except LocalStackError:
            description = {"ready": False}
        if description["ready"]:
            return description
        time.sleep(LOOKS_AGAIN)
    raise LocalStackError(f"the local stack was not ready within {STARTS_WITHIN:.0f} seconds")


def _show(console: Console, description: dict[str, Any]) -> None:
    warehouse = "postgresql://{PGUSER}@{PGHOST}:{PGPORT}/{PGDATABASE}"
    parts = {
        "cloud": description["environment"]["AWS_ENDPOINT_URL"],
        "warehouse": warehouse.format(**description["environment"]),
        "Glue job": description["job_python"].partition(" (")[0],
    }
    for name, value in parts.items():
        console.print(f"  [bold]{name:<10}[/] {value}", soft_wrap=True)
