"""Counts the calls that go by, and strikes at those it was told to."""

import os
import signal
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.faults.calls import Boundary, Call, Moment

# What a fault gives is what the caller hears instead of the answer; None lets the call pass.
Act = Callable[[Call], Any]
KILLED = object()


def kill(call: Call) -> object:
    """Kill -9 the process that calls."""
    os.kill(call.pid, signal.SIGKILL)
    return KILLED


@dataclass
class Fault:
    """Something that happens at a boundary, once."""

    at: Boundary
    act: Act = kill
    happened: threading.Event = field(default_factory=threading.Event)


@dataclass
class Case:
    """What is known of one table since somebody began to watch it."""

    faults: list[Fault] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)


class Watch:
    """Keeps a case for each table; the table of calls that concern none is the empty one."""

    def __init__(self) -> None:
        self._cases: dict[str, Case] = defaultdict(Case)
        self._lock = threading.Lock()

    def begin(self, table: str, *faults: Fault) -> None:
        """Forget what was seen of `table`, and wait for the calls at which `faults` strike."""
        with self._lock:
            self._cases[table] = Case(list(faults))

    def calls(self, table: str) -> list[Call]:
        """The calls that were made for `table`, in their order."""
        with self._lock:
            return list(self._cases[table].calls)

    def before(self, call: Call) -> tuple[int, Any]:
        """To be told before a call is passed on; gives its number, and what to answer instead."""
        with self._lock:
            case = self._cases[call.table]
            case.calls.append(call)
            # A sweep comes again and again, so its calls are counted within one invocation.
            within = call.invocation if call.step == "sweep_tables" else ""
            case.counts[call.step, call.name, within] += 1
            nth = case.counts[call.step, call.name, within]
        return nth, self._strike(call, "before", nth)

    def after(self, call: Call, nth: int) -> Any:
        """To be told when a call is answered; gives what to answer instead."""
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
