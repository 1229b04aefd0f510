"""A proxy between the functions and jobs of a local stack and its cloud."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import urllib3
from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.e2e.faults.calls import Call, Callers, command_of, find_table, name_request
from tests.e2e.faults.watch import Watch

BETWEEN_TWO_ONLY = {"connection", "transfer-encoding", "content-length", "expect"}
MOST_CONNECTIONS = 128
UNHEARD = Response(status=500)  # whoever asked is gone


class QuietHandler(WSGIRequestHandler):
    """Says nothing, and at once: headers and body are written apart, which Nagle would delay."""

    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.found: list[tuple[int, str] | None] = []

    def make_environ(self) -> dict[str, Any]:
        """What an application is told, and what it found out about this connection before."""
        return {**super().make_environ(), "proxy.found": self.found}

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        pass


class AwsProxy:
    """Passes requests on, and tells `watch` of each before it is made and when it is answered."""

    def __init__(self, cloud_port: int, watch: Watch, tables: Sequence[str]) -> None:
        self._watch = watch
        self._tables = tables
        self._callers = Callers(cloud_port)
        self._cloud = urllib3.HTTPConnectionPool(
            "127.0.0.1", cloud_port, maxsize=MOST_CONNECTIONS, retries=False, timeout=60
        )
        application = Request.application(self._answer)
        self._server = make_server(
            "127.0.0.1", 0, application, threaded=True, request_handler=QuietHandler
        )
        self.port = self._server.port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: Request) -> Response:
        call = self._read(request)
        if call is None:
            return UNHEARD
        nth, instead = self._watch.before(call)
        if instead is None:
            response = self._pass_on(request)
            instead = self._watch.after(call, nth)
        if instead is None:
            return response
        return instead if isinstance(instead, Response) else UNHEARD

    def _pass_on(self, request: Request) -> Response:
        answer = self._cloud.request(
            request.method,
            request.environ["REQUEST_URI"],
            body=request.get_data(),
            headers=end_to_end(request.headers),
            decode_content=False,
            redirect=False,
        )
        return Response(answer.data, answer.status, end_to_end(answer.headers))

    def _read(self, request: Request) -> Call | None:
        caller = self._find_caller(request)
        if caller is None:
            return None
        pid, step = caller
        text = request.environ["REQUEST_URI"].encode() + request.get_data()
        if step == "load_batch":
            text += command_of(pid).encode()  # Secrets Manager is not told of a table
        return Call(
            step=step,
            name=name_request(request),
            table=find_table(text, self._tables),
            pid=pid,
            invocation=request.headers.get("X-Amzn-Trace-Id", ""),
        )

    def _find_caller(self, request: Request) -> tuple[int, str] | None:
        found: list[tuple[int, str] | None] = request.environ["proxy.found"]
        if not found:
            found.append(self._callers.find(request.environ["REMOTE_PORT"], self.port))
        return found[0]


def end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that are not only for the connection they come over."""
    return {name: text for name, text in headers.items() if name.lower() not in BETWEEN_TWO_ONLY}
