"""Runs a side of the comparison in its own process, so that memory and caches are separate."""

import os
import resource
import traceback
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any


class Worker:
    """An object in another process, with calls to its methods."""

    def __init__(self, make: Callable[..., object], *arguments: object) -> None:
        context = get_context("spawn")
        self._here, there = context.Pipe()
        environment = dict(os.environ)
        self._process = context.Process(
            target=_serve, args=(there, make, arguments, environment), daemon=True
        )
        self._process.start()
        self._answer()

    def call(self, method: str, *arguments: object) -> Any:  # noqa: ANN401  (what the method gives)
        """Call a method of the object in the other process."""
        self._here.send((method, arguments))
        return self._answer()

    def end(self) -> int:
        """End the process; return its peak memory in bytes."""
        peak = self.call("")
        self._process.join()
        return int(peak)

    def _answer(self) -> Any:  # noqa: ANN401  (what the method gives)
        failed, answer = self._here.recv()
        if failed:
            raise RuntimeError(answer)
        return answer


def _serve(
    there: Connection,
    make: Callable[..., object],
    arguments: tuple[object, ...],
    environment: dict[str, str],
) -> None:
    os.environ.update(environment)
    try:
        served = make(*arguments)
        there.send((False, None))
        while True:
            method, given = there.recv()
            if not method:
                break
            there.send((False, getattr(served, method)(*given)))
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        there.send((False, kilobytes << 10))
    except Exception:
        there.send((True, traceback.format_exc()))
