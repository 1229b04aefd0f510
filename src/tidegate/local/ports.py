"""The ports of a stack: taken before anything else starts, or said to be taken."""

import errno
import socket

from tidegate.errors import LocalStackError
from tidegate.local.cloud.identity import HOST


def take_port(number: int, what_for: str, option: str) -> socket.socket:
    """A socket bound to the port; 0 lets the system choose.

    Raises:
        LocalStackError: the port is taken or not allowed; says which, what for, and what to do.
    """
    port = socket.socket()
    port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        port.bind((HOST, number))
        port.listen()  # only now is it known that nobody else listens
    except OSError as error:
        port.close()
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise LocalStackError(
            f"port {number}, for {what_for}, {why}; choose another one with {option}"
        ) from error
    return port


def check_port(number: int, what_for: str, option: str) -> None:
    """Raise the error of `take_port` if the port cannot be taken."""
    take_port(number, what_for, option).close()
