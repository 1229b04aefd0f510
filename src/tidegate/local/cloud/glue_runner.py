"""Runs a Glue Python Shell script in a process of its own; ends it when the local cloud ends.

Started by jobs.py under Python 3.9 where there is one, so it holds no newer syntax.
"""

import os
import runpy
import signal
import sys
import threading


def main(script, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Run `script` as the main program, as `python script arguments` would."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = [script, *arguments]
    sys.path[0] = os.path.dirname(script)  # noqa: PTH120  (nothing more is imported than needed)
    runpy.run_path(script, run_name="__main__")


def _end_with_parent():  # type: ignore[no-untyped-def]  # noqa: ANN202
    sys.stdin.buffer.read()  # gives way when the other end of the pipe is closed
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
