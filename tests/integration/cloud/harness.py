"""Runs the small test application in its own process and gives tests access to it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tidegate.local.control import RunningStack

SERVE = Path(__file__).with_name("serve.py")


@dataclass
class App:
    """The running application: its process, endpoint, folder and resource ids."""

    process: subprocess.Popen[bytes]
    endpoint: str
    folder: Path
    ids: dict[str, str]
    control: RunningStack

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=64),
        )

    def said(self, source: str) -> list[str]:
        return [entry["text"] for entry in self.control.log() if entry["source"] == source]

    def processes(self, name: str) -> list[dict[str, Any]]:
        return [one for one in self.control.describe()["processes"] if one["name"] == name]


def start_app() -> App:
    process = subprocess.Popen(
        [sys.executable, SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    control = RunningStack(told["port"])
    return App(process, told["endpoint"], Path(told["folder"]), told["ids"], control)


def stop_app(app: App) -> None:
    """Stop the application; if it was killed, only collect its process."""
    app.process.communicate(timeout=20)


def wait_for(what: Callable[[], Any], within: float = 15.0) -> Any:
    """Call `what` until it returns something true, and return that."""
    deadline = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < deadline, f"waited {within} s in vain for {what}"
        time.sleep(0.05)
    return found


def is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return state.stdout.strip() not in {"", "Z", "Zs"}
