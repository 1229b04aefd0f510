"""Starts a local stack for the benchmark."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidegate.local.background import start_in_background
from tidegate.local.control import RunningStack

TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"


@contextmanager
def local_stack(tables: Path) -> Iterator[RunningStack]:
    """Run a stack with the contracts of `tables` while the body runs; the environment names it."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("", 0)) as other:
        ports = one.getsockname()[1], other.getsockname()[1]
    stack = start_in_background(TEMPLATE, tables, *ports)
    before = dict(os.environ)
    os.environ.update(stack.environment())
    # The Glue jobs of the stack have the same setting.
    os.environ["SSL_CERT_FILE"] = os.environ["PGSSLROOTCERT"]
    try:
        yield stack
    finally:
        os.environ.clear()
        os.environ.update(before)
        stack.stop()


def peak_memory(process: int) -> int:
    """The peak memory of a process in bytes; 0 if the system does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return 0
    [peak] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(peak) << 10
