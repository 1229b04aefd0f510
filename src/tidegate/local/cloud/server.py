"""The HTTP server of the local cloud."""

import socket
import threading
from typing import TYPE_CHECKING

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"
WAITING_CONNECTIONS = 4096  # thousands of files may land at once


class QuietHandler(MotoRequestHandler):
    """Answers requests without a line for each on the terminal."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  (werkzeug's name)
        """Say nothing: what matters is in the journal."""


class Server:
    """A threaded server for one WSGI application, on a port that is ours already."""

    def __init__(self, port: socket.socket, application: "WSGIApplication") -> None:
        port.listen(WAITING_CONNECTIONS)
        host, number = port.getsockname()
        self._server: BaseWSGIServer = make_server(
            host, number, application, True, request_handler=QuietHandler, fd=port.fileno()
        )
        port.close()  # the server has a descriptor of its own now
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more, and give the port back."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
