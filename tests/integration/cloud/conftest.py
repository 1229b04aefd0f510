"""Fixtures: one cloud with the small application of app/ for all tests here, and its clients."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.cloud.harness import App, start_app, stop_app, wait_for


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
    """Invoke a function; return its result, and the kind of error if it failed."""

    def call(name: str = "Probe", **event: Any) -> tuple[Any, str | None]:
        answer = functions.invoke(FunctionName=app.ids[name], Payload=json.dumps(event))
        return json.load(answer["Payload"]), answer.get("FunctionError")

    return call


@pytest.fixture
def eventually() -> Callable[..., Any]:
    return wait_for
