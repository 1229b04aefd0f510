"""A network call of a step, as a proxy sees it, and the moments at which a fault may strike."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs

from tidegate.local.control import RunningStack

Moment = Literal["before", "after"]
SERVICES = {
    "DynamoDB_20120810": "dynamodb",
    "AWSStepFunctions": "states",
    "secretsmanager": "secretsmanager",
}
LOOKS = 20  # a process that has just begun is not listed at once
OF_OBJECTS = {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "POST": "PostObject"}


@dataclass(frozen=True)
class Call:
    """One call, made by the process `pid`; `table` is empty if it concerns none or all of them.

    `invocation` tells the invocations of a function from each other; a job has only one.
    """

    step: str
    name: str
    table: str
    pid: int
    invocation: str = ""


@dataclass(frozen=True)
class Boundary:
    """A moment between two things that a step does: what a process can be killed at."""

    step: str
    moment: Moment
    nth: int
    name: str

    def __str__(self) -> str:
        return f"{self.step}: {self.moment} {ordinal(self.nth)} {self.name}"


def ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number if number < 20 else number % 10, "th")
    return f"{number}{ending}"


def name_request(method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
    """An AWS request by the name of its IAM action."""
    target = headers.get("X-Amz-Target")
    if target:
        service, _, operation = target.rpartition(".")
        return f"{SERVICES[service]}:{operation}"
    if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        [action] = parse_qs(body.decode())["Action"]
        return f"sns:{action}"
    return "s3:ListObjectsV2" if "list-type=" in path else f"s3:{OF_OBJECTS[method]}"


def name_statement(sql: str) -> str:
    """A statement of SQL by its verb."""
    found = re.match(r"\s*(\w+)", sql)
    return f"redshift:{found[1].lower()}" if found else "redshift:"


class Callers:
    """Tells who is at the other end of a connection to this process."""

    def __init__(self, cloud_port: int) -> None:
        self._stack = RunningStack(cloud_port)
        self._steps: dict[int, str] = {}

    def find(self, port: int, proxy_port: int) -> tuple[int, str] | None:
        """The process that connects from `port` to `proxy_port`, and the step it runs.

        None if it is gone.
        """
        for _ in range(LOOKS):
            inode = find_inode(port, proxy_port)
            for pid in list(self._steps):
                if has_socket(pid, inode):
                    return pid, self._steps[pid]
            self._look_again()
        return None

    def _look_again(self) -> None:
        processes = self._stack.describe()["processes"]
        self._steps = {one["pid"]: snake_case(one["name"]) for one in processes}


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def has_socket(pid: int, inode: str) -> bool:
    try:
        files = [str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False  # it has just ended, or closed a file
    return f"socket:[{inode}]" in files


def find_inode(port: int, peer: int) -> str:
    """The inode of a connection's socket: https://docs.kernel.org/networking/proc_net_tcp.html"""
    ends = f"0100007F:{port:04X} 0100007F:{peer:04X}"
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines():
        if ends in line:
            return line.split()[9]
    return ""


def command_of(pid: int) -> bytes:
    """How a process was started; nothing if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def find_table(text: bytes, tables: Sequence[str]) -> str:
    """The table that a request tells of: its name stands in keys, ARNs and subjects alike."""
    return next((table for table in tables if table.rpartition(".")[2].encode() in text), "")
