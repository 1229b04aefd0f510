"""Ends the processes that the local cloud starts; each leads a process group."""

import contextlib
import os
import signal
import subprocess

# Go's names: Lambda's runtime supervisor is written in Go. https://pkg.go.dev/syscall
_GO_NAMES = {"SIGKILL": "killed", "SIGSEGV": "segmentation fault", "SIGTERM": "terminated"}


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill `process`, the leader of a group, and all processes of the group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def signal_name(number: int) -> str:
    """Return Lambda's name for a signal."""
    name = signal.Signals(number).name
    return _GO_NAMES.get(name, name.removeprefix("SIG").lower())
