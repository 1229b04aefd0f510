"""Runs a stack in its own process and session, so that it outlives the terminal."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

from tidegate.errors import LocalStackError
from tidegate.local.control import RunningStack

START_TIMEOUT = 60.0
POLL_SECONDS = 0.05
ANSWER_TIMEOUT = 1.0


def start_in_background(
    template: Path, tables: Path | None, port: int, warehouse_port: int, via: str | None = None
) -> RunningStack:
    """Start a stack and return when it is ready.

    Raises:
        LocalStackError: the stack did not start; the message says why.
    """
    options = json.dumps([str(template), str(tables or ""), port, warehouse_port, via or ""])
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tidegate.local.serving", options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return _wait_until_ready(process, RunningStack(port), output)


def _wait_until_ready(
    process: subprocess.Popen[bytes], stack: RunningStack, output: IO[bytes]
) -> RunningStack:
    deadline = time.monotonic() + START_TIMEOUT
    while process.poll() is None:
        if _describes(stack, process.pid):
            return stack
        if time.monotonic() > deadline:
            process.kill()
            raise LocalStackError(f"the stack was not ready within {START_TIMEOUT:.0f} seconds")
        time.sleep(POLL_SECONDS)
    output.seek(0)
    raise LocalStackError(output.read().decode(errors="replace").strip())


def _describes(stack: RunningStack, pid: int) -> bool:
    # Another stack may already answer on this port, or a program that never answers.
    try:
        description: dict[str, Any] = stack.describe(ANSWER_TIMEOUT)
    except LocalStackError:
        return False
    return bool(description["pid"] == pid and description["ready"])
