"""The WSGI application in front of moto: it answers the requests that moto cannot."""

import io
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# moto reads and then writes without a lock. Two conditional writes to one item could both succeed,
# and two executions with one name could both start.
SERIALIZED_ACTIONS = ("DynamoDB_", "AWSStepFunctions.StartExecution")


class Service(Protocol):
    """Answers some of the requests."""

    def answer(self, request: Request) -> Response | None:
        """Return the response, or None to leave the request to the next service."""


class Front:
    """Asks each service in turn, and moto last."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services = tuple(services)
        self._moto: WSGIApplication = DomainDispatcherApplication(create_backend_app)
        self._one_at_a_time = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ, populate_request=False)
        for service in self._services:
            response = service.answer(request)
            if response is not None:
                return response(environ, start)
        if request.headers.get("X-Amz-Target", "").startswith(SERIALIZED_ACTIONS):
            environ["wsgi.input"] = io.BytesIO(request.get_data())
            with self._one_at_a_time:
                return self._moto(environ, start)
        return self._moto(environ, start)
