"""A proxy between the functions and jobs of a local stack and its cloud."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import urllib3

from tests.e2e.faults.calls import Call, Callers, command_of, find_table, name_request
from tests.e2e.faults.watch import KILLED, Watch

BETWEEN_TWO_ONLY = {"connection", "transfer-encoding", "content-length", "expect"}
MOST_CONNECTIONS = 128


@dataclass(frozen=True)
class Answer:
    """A response to a caller."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class AwsProxy:
    """Passes requests on; tells `watch` about each before the call and after the response."""

    def __init__(self, cloud_port: int, watch: Watch, tables: Sequence[str]) -> None:
        self.watch = watch
        self.tables = tables
        self.callers = Callers(cloud_port)
        self.cloud = urllib3.HTTPConnectionPool(
            "127.0.0.1", cloud_port, maxsize=MOST_CONNECTIONS, retries=False
        )
        handler = type("Handler", (_Connection,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Connection(BaseHTTPRequestHandler):
    """One connection of one process; it carries many requests."""

    proxy: AwsProxy
    protocol_version = "HTTP/1.1"
    # http.server writes headers and body separately; Nagle's algorithm would delay the body.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.caller = self.proxy.callers.find(self.client_address[1], self.proxy.port)

    def handle(self) -> None:
        """Answer requests until the caller closes the connection."""
        try:
            if self.caller is not None:
                super().handle()
        except OSError:
            return

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        assert "Transfer-Encoding" not in self.headers, "no body in chunks is expected"
        call = self._call(body)
        nth, instead = self.proxy.watch.before(call)
        if instead is None:
            answer = self._pass_on(body)
            instead = self.proxy.watch.after(call, nth)
        if instead is KILLED:
            self.close_connection = True
        else:
            self._tell(instead or answer)

    do_GET = do_POST  # noqa: N815  (http.server's names)
    do_PUT = do_POST  # noqa: N815
    do_HEAD = do_POST  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _call(self, body: bytes) -> Call:
        assert self.caller is not None
        pid, step = self.caller
        text = self.path.encode() + body
        if step == "load_batch":
            text += command_of(pid)  # a request to Secrets Manager names no table
        return Call(
            step=step,
            name=name_request(self.command, self.path, self.headers, body),
            table=find_table(text, self.proxy.tables),
            pid=pid,
            invocation=self.headers.get("X-Amzn-Trace-Id", ""),
        )

    def _pass_on(self, body: bytes) -> Answer:
        answer = self.proxy.cloud.request(
            self.command,
            self.path,
            body=body,
            headers=end_to_end(self.headers),
            decode_content=False,
            redirect=False,
        )
        return Answer(answer.status, answer.data, end_to_end(answer.headers))

    def _tell(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, text in answer.headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)


def end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers to pass on: those that are not for one connection only."""
    return {name: text for name, text in headers.items() if name.lower() not in BETWEEN_TWO_ONLY}
