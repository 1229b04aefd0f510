"""Binds the ports of a stack before anything else starts, or reports that one is in use."""

import errno
import socket

from tidegate.errors import LocalStackError
from tidegate.local.cloud.identity import HOST


def take_port(number: int, purpose: str, option: str) -> socket.socket:
    """Return a socket that listens on the port; with 0 the system chooses a free port.

    Raises:
        LocalStackError: the port is in use or not allowed; the message names the port, its
            purpose and the option that changes it.
    """
    port = socket.socket()
    port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        port.bind((HOST, number))
        port.listen()  # with SO_REUSEADDR, only listen proves that the port is free
    except OSError as error:
        port.close()
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise LocalStackError(
            f"port {number}, for {purpose}, {why}; choose another one with {option}"
        ) from error
    return port


def check_port(number: int, purpose: str, option: str) -> None:
    """Raise the error of `take_port` if the port is not free."""
    take_port(number, purpose, option).close()
