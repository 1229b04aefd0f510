"""Runs a stack in this process until a signal or a request stops it."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.local.stack import Stack


def run(stack: Stack, when_ready: Callable[[], None] = lambda: None) -> None:
    """Run `stack` until a signal or `tidegate local down` stops it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stack.stop_requested.set())
    try:
        stack.start()
        when_ready()
        stack.stop_requested.wait()
    finally:
        stack.stop()


def main(options: str) -> int:
    """Run a stack with `options`, a JSON list; return the exit code, print an error as one line."""
    template, tables, port, warehouse_port, via = json.loads(options)
    try:
        tables = Path(tables) if tables else None
        stack = Stack(Path(template), tables, port, warehouse_port, via or None)
        run(stack)
    except TidegateError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        return 1
    return 0


if __name__ == "__main__":
    # The interpreter would take a second to free moto's memory; nothing else is left to tidy up.
    os._exit(main(sys.argv[1]))
