"""Counts the calls that pass the proxies and injects faults at chosen ones."""

import os
import signal
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.faults.calls import Boundary, Call, Moment

# A fault returns the response to give instead of the real one; None lets the call pass.
Act = Callable[[Call], Any]
KILLED = object()


def kill(call: Call) -> object:
    """Kill the calling process with SIGKILL."""
    os.kill(call.pid, signal.SIGKILL)
    return KILLED


@dataclass
class Fault:
    """A fault at a boundary; it happens once."""

    at: Boundary
    act: Act = kill
    happened: threading.Event = field(default_factory=threading.Event)


@dataclass
class Case:
    """The calls and faults of one table since its watch began."""

    faults: list[Fault] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)


class Watch:
    """Keeps a case for each table; the empty name stands for calls that concern no table."""

    def __init__(self) -> None:
        self._cases: dict[str, Case] = defaultdict(Case)
        self._lock = threading.Lock()

    def begin(self, table: str, *faults: Fault) -> None:
        """Start a new watch of `table`; inject `faults` at their calls."""
        with self._lock:
            self._cases[table] = Case(list(faults))

    def calls(self, table: str) -> list[Call]:
        """Return the calls for `table` in order."""
        with self._lock:
            return list(self._cases[table].calls)

    def before(self, call: Call) -> tuple[int, Any]:
        """Record a call before it is passed on; return its number and the response to give."""
        with self._lock:
            case = self._cases[call.table]
            case.calls.append(call)
            # Sweeps repeat, so their calls are counted within one invocation.
            within = call.invocation if call.step == "sweep_tables" else ""
            case.counts[call.step, call.name, within] += 1
            nth = case.counts[call.step, call.name, within]
        return nth, self._strike(call, "before", nth)

    def after(self, call: Call, nth: int) -> Any:
        """Record the response to a call; return the response to give instead, or None."""
        return self._strike(call, "after", nth)

    def _strike(self, call: Call, moment: Moment, nth: int) -> Any:
        here = Boundary(call.step, moment, nth, call.name)
        with self._lock:
            faults = self._cases[call.table].faults
            fault = next((one for one in faults if one.at == here), None)
            if fault is None:
                return None
            faults.remove(fault)
        instead = fault.act(call)
        fault.happened.set()
        return instead
