"""Runs a Glue Python Shell script in a process of its own; ends it when the local cloud ends.

Started by jobs.py under Python 3.9 where there is one, so it holds no newer syntax.
"""

import os
import runpy
import signal
import sys
import threading


def main(script: str, arguments: list[str]) -> None:
    """Run `script` as the main program, as `python script arguments` would."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = [script, *arguments]
    sys.path[0] = os.path.dirname(script)  # noqa: PTH120  (nothing more is imported than needed)
    runpy.run_path(script, run_name="__main__")


def _end_with_parent() -> None:
    # Nothing is ever sent: reading ends when the other end of the pipe is closed. Not through
    # sys.stdin, whose lock would be held when the interpreter ends.
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
