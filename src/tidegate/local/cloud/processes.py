"""Processes that the local cloud starts: each leads a group, so that all of it can be ended."""

import contextlib
import os
import signal
import subprocess

# As Go, in which Lambda's runtime supervisor is written, names them: https://pkg.go.dev/syscall
_GO_NAMES = {"SIGKILL": "killed", "SIGSEGV": "segmentation fault", "SIGTERM": "terminated"}


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End `process`, which leads a group, and everything in the group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def signal_name(number: int) -> str:
    """The word for a signal, as Lambda uses it."""
    name = signal.Signals(number).name
    return _GO_NAMES.get(name, name.removeprefix("SIG").lower())
