"""Runs a Glue Python Shell script in its own process and ends it when the local cloud ends.

jobs.py starts this file under Python 3.9 if the machine has it, so it uses no newer syntax.
"""

import os
import runpy
import signal
import sys
import threading


def main(script: str, arguments: list[str]) -> None:
    """Run `script` as the main program, as `python script arguments` does."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = [script, *arguments]
    sys.path[0] = os.path.dirname(script)  # noqa: PTH120  (nothing more is imported than needed)
    runpy.run_path(script, run_name="__main__")


def _end_with_parent() -> None:
    # The cloud sends nothing: the read returns when the other end of the pipe closes. Reading
    # through sys.stdin would still hold its lock when the interpreter ends.
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
