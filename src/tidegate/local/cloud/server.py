"""The HTTP server of the local cloud."""

import socket
import threading
from typing import TYPE_CHECKING

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from tidegate.local.cloud.journal import Journal

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LISTEN_BACKLOG = 4096  # thousands of files may land at once


class Server:
    """A threaded server for one WSGI application, on a port that is already bound."""

    def __init__(
        self, port: socket.socket, application: "WSGIApplication", journal: Journal
    ) -> None:
        port.listen(LISTEN_BACKLOG)
        host, number = port.getsockname()
        self._server: BaseWSGIServer = make_server(
            host, number, application, True, request_handler=_handler(journal), fd=port.fileno()
        )
        port.close()  # the server has its own descriptor now
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        """Start to answer requests."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and close the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(journal: Journal) -> type[MotoRequestHandler]:
    class QuietHandler(MotoRequestHandler):
        """Writes errors into the journal and ignores successful requests."""

        def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
            """Journal errors; werkzeug calls this for each request and each error."""
            if type == "error":
                journal.say("cloud", message % args, failed=True)

    return QuietHandler
