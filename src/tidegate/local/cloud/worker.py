"""Runs one function's handler in its own process, as Lambda's Python runtime does.

sandbox.py starts it with a pipe. It imports nothing from Tidegate and few other modules.
"""

import importlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

Handler = Callable[[Any, "Context"], Any]
MEMORY_POLL_SECONDS = 0.05  # seconds between two looks


class Context:
    """The `context` argument of a handler: facts about its invocation.

    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """

    client_context = None
    identity = None

    def __init__(self, request_id: str, arn: str, deadline: float) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the invocation times out."""
        return max(0, int((self._deadline - time.time()) * 1000))


def main(pipe: Connection) -> None:
    """Answer invocations from `pipe` until it closes."""
    requests: SimpleQueue[dict[str, Any]] = SimpleQueue()
    working = threading.Event()
    working.set()
    threading.Thread(target=_receive, args=(pipe, requests), daemon=True).start()
    threading.Thread(target=_watch_memory, args=(pipe, working), daemon=True).start()
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:
        _send(pipe, {"failed_to_start": _describe_start(error)})
        return
    _send(pipe, {"started": True})
    while True:
        working.clear()
        request = requests.get()
        working.set()
        _send(pipe, answer(handler, request))


def load_handler(name: str) -> Handler:
    """Import and return the handler; `name` is a template's Handler value."""
    module, _, function = name.rpartition(".")
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    handler: Handler = getattr(importlib.import_module(module.replace("/", ".")), function)
    return handler


def answer(handler: Handler, request: dict[str, Any]) -> dict[str, Any]:
    """Run the handler; return its result or error in Lambda's wording."""
    context = Context(request["id"], request["arn"], request["deadline"])
    os.environ["_X_AMZN_TRACE_ID"] = request["trace"]
    try:
        result = handler(json.loads(request["payload"]), context)
    except Exception as error:
        return {"error": _describe(error)}
    try:
        return {"payload": json.dumps(result)}
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        return {"error": _payload("Runtime.MarshalError", message, [])}
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _receive(pipe: Connection, requests: "SimpleQueue[dict[str, Any]]") -> None:
    try:
        while True:
            requests.put(json.loads(pipe.recv_bytes()))
    except (EOFError, OSError):
        os._exit(1)  # the caller has gone


def _watch_memory(pipe: Connection, working: threading.Event) -> None:
    limit = int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) << 20
    while resident_bytes() <= limit:
        time.sleep(MEMORY_POLL_SECONDS)
        working.wait()
    _send(pipe, {"out_of_memory": True})
    os.kill(os.getpid(), signal.SIGKILL)


def resident_bytes() -> int:
    """Return this process's resident memory; its peak where the system does not tell more."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS counts bytes
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _describe(error: Exception) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[1:]
    return _payload(type(error).__name__, str(error), traceback.format_list(frames))


def _describe_start(error: Exception) -> dict[str, Any]:
    handler = os.environ["_HANDLER"]
    module = handler.rpartition(".")[0]
    if isinstance(error, ImportError):
        message = f"Unable to import module '{module}': {error}"
        return _payload("Runtime.ImportModuleError", message, [])
    if isinstance(error, AttributeError) and handler.rpartition(".")[2] in str(error):
        return _payload("Runtime.HandlerNotFound", f"Handler '{handler}' missing: {error}", [])
    return _describe(error)


def _payload(kind: str, message: str, trace: list[str]) -> dict[str, Any]:
    return {"errorMessage": message, "errorType": kind, "stackTrace": trace}


def _send(pipe: Connection, frame: dict[str, Any]) -> None:
    try:
        pipe.send_bytes(json.dumps(frame).encode())
    except OSError:
        os._exit(1)


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])))
