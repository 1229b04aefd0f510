"""Does what its event says, so that a test sees what becomes of it."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any


class ProbeError(Exception):
    """Raised when asked to."""


def handler(event: dict[str, Any], context: Any) -> Any:
    """Do `event["do"]`."""
    action = ACTIONS[event["do"]]
    return action(event, context)


def echo(event: dict[str, Any], context: Any) -> Any:
    return event


def describe(event: dict[str, Any], context: Any) -> Any:
    return {
        "pid": os.getpid(),
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
        "note": Path(os.environ["NOTE"]).read_text(),
        "files": sorted(file.name for file in Path(os.environ["FILES"]).iterdir()),
        "name": context.function_name,
        "memory": context.memory_limit_in_mb,
        "request": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "left": context.get_remaining_time_in_millis(),
        "modules": sorted(sys.modules),
    }


def fail(event: dict[str, Any], context: Any) -> Any:
    raise ProbeError(event["message"])


def sleep(event: dict[str, Any], context: Any) -> Any:
    sys.stdout.write(f"sleeping {event['seconds']}\n")
    time.sleep(event["seconds"])
    return os.getpid()


def allocate(event: dict[str, Any], context: Any) -> Any:
    held = []
    while True:
        held.append(bytearray(4 << 20))
        time.sleep(0.005)


def leave(event: dict[str, Any], context: Any) -> Any:
    sys.exit(3)


def kill(event: dict[str, Any], context: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def enlarge(event: dict[str, Any], context: Any) -> Any:
    return "x" * event["bytes"]


def unreadable(event: dict[str, Any], context: Any) -> Any:
    return {1, 2}


ACTIONS = {
    "echo": echo,
    "describe": describe,
    "fail": fail,
    "sleep": sleep,
    "allocate": allocate,
    "exit": leave,
    "kill": kill,
    "enlarge": enlarge,
    "unreadable": unreadable,
}
