"""A cloud with the small application of app/, for all tests here, and clients of it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tidegate.local.control import RunningStack

SERVE = Path(__file__).with_name("serve.py")


@dataclass
class App:
    """The application, seen from outside."""

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
    assert app.process.stdin is not None
    assert app.process.stdout is not None
    app.process.stdin.close()
    app.process.wait(20)
    app.process.stdout.close()


@pytest.fixture(scope="session")
def app() -> Iterator[App]:
    started = start_app()
    yield started
    stop_app(started)


@pytest.fixture(scope="session")
def functions(app: App) -> Any:
    return app.client("lambda")


@pytest.fixture(scope="session")
def s3(app: App) -> Any:
    return app.client("s3")


@pytest.fixture(scope="session")
def glue(app: App) -> Any:
    return app.client("glue")


@pytest.fixture(scope="session")
def dynamodb(app: App) -> Any:
    return app.client("dynamodb")


@pytest.fixture
def invoke(app: App, functions: Any) -> Callable[..., tuple[Any, str | None]]:
    """Invoke a function; gives what it returned, and the kind of error if it is one."""

    def call(name: str = "Probe", **event: Any) -> tuple[Any, str | None]:
        answer = functions.invoke(FunctionName=app.ids[name], Payload=json.dumps(event))
        return json.load(answer["Payload"]), answer.get("FunctionError")

    return call


def wait_for(what: Callable[[], Any], within: float = 15.0) -> Any:
    """What `what` gives as soon as it gives something."""
    deadline = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < deadline, f"waited {within} s in vain for {what}"
        time.sleep(0.05)
    return found


@pytest.fixture
def eventually() -> Callable[..., Any]:
    return wait_for
