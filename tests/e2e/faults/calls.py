"""A network call of a step as a proxy sees it, and the boundaries at which a fault can happen."""

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
LOOKS = 20  # a new process is not listed at once
OF_OBJECTS = {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "POST": "PostObject"}


@dataclass(frozen=True)
class Call:
    """One call by the process `pid`; `table` is empty if it concerns no table or all tables.

    `invocation` identifies an invocation of a function; a job has only one.
    """

    step: str
    name: str
    table: str
    pid: int
    invocation: str = ""


@dataclass(frozen=True)
class Boundary:
    """A moment between two actions of a step, at which a process can be killed."""

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
    """Return the IAM action of an AWS request."""
    target = headers.get("X-Amz-Target")
    if target:
        service, _, operation = target.rpartition(".")
        return f"{SERVICES[service]}:{operation}"
    if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        [action] = parse_qs(body.decode())["Action"]
        return f"sns:{action}"
    return "s3:ListObjectsV2" if "list-type=" in path else f"s3:{OF_OBJECTS[method]}"


def name_statement(sql: str) -> str:
    """Name a SQL statement by its verb, for example `redshift:delete`."""
    found = re.match(r"\s*(\w+)", sql)
    return f"redshift:{found[1].lower()}" if found else "redshift:"


class Callers:
    """Finds the process at the other end of a connection to this process."""

    def __init__(self, cloud_port: int) -> None:
        self._stack = RunningStack(cloud_port)
        self._steps: dict[int, str] = {}

    def find(self, port: int, proxy_port: int) -> tuple[int, str] | None:
        """Return the process that connects from `port` to `proxy_port`, and its step.

        None if the process has ended.
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
        return False  # the process has just ended or closed a file
    return f"socket:[{inode}]" in files


def find_inode(port: int, peer: int) -> str:
    """Return a socket's inode: https://docs.kernel.org/networking/proc_net_tcp.html"""
    ends = f"0100007F:{port:04X} 0100007F:{peer:04X}"
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines():
        if ends in line:
            return line.split()[9]
    return ""


def command_of(pid: int) -> bytes:
    """Return the command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def find_table(text: bytes, tables: Sequence[str]) -> str:
    """Return the table whose name a request contains, in a key, an ARN or a subject."""
    return next((table for table in tables if table.rpartition(".")[2].encode() in text), "")
