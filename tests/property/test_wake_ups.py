"""However runs, registrations and deaths interleave, no waiting file is forgotten."""

from datetime import timedelta

import boto3
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from moto import mock_aws

from tests.unit.samples import Clock, ledger_table
from tidegate.finishing.fail_batch import LONGEST_WAIT
from tidegate.ledger import StateLedger
from tidegate.runs import is_due

TABLE = "sales.orders"
LEASE = 60
RUNS = st.sampled_from(["one", "two", "three"])


class Interleavings(RuleBasedStateMachine):
    """The steps that registrars and runs take, each as one atomic act, in any order.

    `pending` stands for the PENDING items, and says of each whether its registrar left a wake-up;
    `seen` for the wake-ups that a run knows of.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mock = mock_aws()
        self.mock.start()
        boto3.setup_default_session(region_name="us-east-1")
        self.clock = Clock()
        self.states = StateLedger(ledger_table(), self.clock)
        self.landed = 0
        self.pending: dict[int, bool] = {}
        self.untold: list[int] = []
        self.seen: dict[str, int] = {}
        self.fence = 0

    def teardown(self) -> None:
        self.mock.stop()

    @rule()
    def register(self) -> None:
        self.landed += 1
        self.pending[self.landed] = False
        self.untold.append(self.landed)

    @precondition(lambda self: self.untold)
    @rule()
    def wake(self) -> None:
        self.states.wake(TABLE, landed_at=self.states.now())
        told = self.untold.pop(0)
        if told in self.pending:
            self.pending[told] = True

    @rule(run=RUNS)
    def acquire(self, run: str) -> None:
        state = self.states.acquire(TABLE, run, LEASE)
        if state:
            assert state.fence > self.fence
            self.fence = state.fence
            self.seen[run] = state.wake

    @precondition(lambda self: self.holder() in self.seen)
    @rule()
    def apply(self) -> None:
        self.pending.clear()

    @precondition(lambda self: self.holder() in self.seen and not self.pending)
    @rule(landed_meanwhile=st.booleans())
    def let_go(self, landed_meanwhile: bool) -> None:
        """A run that found nothing lets go, a file perhaps landing since it looked."""
        run = self.holder()
        if landed_meanwhile:
            self.register()
            self.wake()
        if self.states.release(TABLE, self.fence, seen_wake=self.seen[run]):
            del self.seen[run]
        else:
            self.seen[run] = self.states.read(TABLE).wake

    @rule(run=RUNS, landed_meanwhile=st.booleans())
    def run_through(self, run: str, landed_meanwhile: bool) -> None:
        """A run from its first step to its last, if it gets the lease."""
        self.acquire(run)
        if self.holder() == run:
            self.apply()
            self.let_go(landed_meanwhile)

    @precondition(lambda self: self.holder() in self.seen)
    @rule(wait=st.sampled_from([30, 120]))
    def fail(self, wait: int) -> None:
        """A run fails for a reason that passes, and leaves what waits to a later one."""
        run = self.holder()
        self.states.record_failure(TABLE, run, "WarehouseBusyError: away")
        self.states.postpone(TABLE, run, self.states.now() + wait)
        del self.seen[run]

    @precondition(lambda self: self.seen)
    @rule(run=RUNS)
    def die(self, run: str) -> None:
        self.seen.pop(run, None)

    @rule(seconds=st.sampled_from([1, LEASE]))
    def pass_time(self, seconds: int) -> None:
        self.clock.now += seconds

    def holder(self) -> str | None:
        return self.states.read(TABLE).holder

    @invariant()
    def somebody_will_look_at_what_waits(self) -> None:
        state = self.states.read(TABLE)
        if any(self.pending.values()):
            # At once, or when it is time to try again: never later than the longest wait.
            then = max(self.states.now(), state.retry_at)
            assert state.holder is not None or is_due(state, timedelta(0), then)
            assert then - self.states.now() <= LONGEST_WAIT

    @invariant()
    def nothing_starts_by_itself_before_it_is_time(self) -> None:
        state = self.states.read(TABLE)
        if state.retry_at > self.states.now():
            assert not is_due(state, timedelta(0), self.states.now())

    @invariant()
    def a_table_that_fails_is_held_or_tried_again_though_nothing_waits(self) -> None:
        state = self.states.read(TABLE)
        if state.attempts and state.holder is None:
            then = max(self.states.now(), state.retry_at)
            assert is_due(state, timedelta(0), then)


Interleavings.TestCase.settings = settings(
    max_examples=12, stateful_step_count=20, derandomize=True
)
TestInterleavings = pytest.mark.filterwarnings("ignore::ResourceWarning")(Interleavings.TestCase)
