"""A table has one writer, whose fence is higher than all before, and no wake-up is lost."""

import pytest

from tests.unit.samples import Clock, items, ledger_table
from tidegate.batch.plan import Outcome
from tidegate.ledger import LedgerTable, StateLedger

TABLE = "sales.orders"
COUNTS = {"applied_files": 2, "quarantined_files": 1, "quarantined_rows": 3}


@pytest.fixture
def table(aws) -> LedgerTable:
    return ledger_table()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def states(table, clock) -> StateLedger:
    return StateLedger(table, clock)


def test_table_of_the_first_day_has_nothing(states):
    state = states.read(TABLE)
    assert (state.fence, state.epoch, state.watermark, state.pending_since) == (0, 1, None, None)
    assert not state.is_held(states.now())


def test_one_of_two_takes_the_lease(states):
    assert states.acquire(TABLE, "one", 60).holder == "one"
    assert states.acquire(TABLE, "two", 60) is None
    assert states.read(TABLE).holder == "one"


def test_who_finds_the_lease_taken_leaves_a_wake_up(states):
    held = states.acquire(TABLE, "one", 60)
    states.acquire(TABLE, "two", 60)
    assert not states.release(TABLE, held.fence, seen_wake=held.wake)
    assert states.release(TABLE, held.fence, seen_wake=states.read(TABLE).wake)


def test_expired_lease_is_taken_by_the_next(states, clock):
    one = states.acquire(TABLE, "one", 60)
    clock.now += 59
    assert states.acquire(TABLE, "two", 60) is None
    clock.now += 1
    two = states.acquire(TABLE, "two", 60)
    assert (two.holder, two.fence > one.fence) == ("two", True)
    assert not states.release(TABLE, one.fence)


def test_holder_takes_the_lease_again_with_a_new_fence(states):
    fences = [states.acquire(TABLE, "one", 60).fence for _ in range(3)]
    assert fences == sorted(set(fences))


def test_outdated_call_of_the_holder_does_not_let_go_for_the_call_that_took_its_place(states):
    outdated = states.acquire(TABLE, "one", 60)
    states.acquire(TABLE, "one", 60)
    assert not states.release(TABLE, outdated.fence)
    assert not states.release(TABLE, outdated.fence, seen_wake=outdated.wake)
    assert states.read(TABLE).holder == "one"


def test_fences_and_batches_grow_even_if_the_ledger_was_lost(states, clock):
    before = states.acquire(TABLE, "one", 60)
    batch = states.next_batch(before)
    clock.now += 1
    again = StateLedger(ledger_table(), clock)
    after = again.acquire(TABLE, "one", 60)
    assert after.fence > before.fence == 1_723_231_640_000
    assert again.next_batch(after) > batch


def test_fences_grow_even_if_the_clock_goes_back(states, clock):
    first = states.acquire(TABLE, "one", 60).fence
    clock.now -= 3600
    assert states.acquire(TABLE, "one", 60).fence == first + 1


def test_letting_go_with_nothing_left_ends_the_waiting(states):
    states.wake(TABLE, landed_at=100)
    state = states.wake(TABLE, landed_at=50)
    assert (state.pending_since, state.wake) == (100, 2)
    held = states.acquire(TABLE, "one", 60)
    assert states.release(TABLE, held.fence, seen_wake=held.wake)
    assert (states.read(TABLE).holder, states.read(TABLE).pending_since) == (None, None)


def test_letting_go_with_nothing_left_forgets_what_failed_on_the_way(states):
    held = states.acquire(TABLE, "one", 60)
    states.record_failure(TABLE, "one", "Runtime.ExitError: signal: killed")
    assert states.release(TABLE, held.fence, seen_wake=held.wake)
    assert (states.read(TABLE).last_error, states.read(TABLE).attempts) == (None, 0)


def test_wake_up_after_the_look_keeps_the_holder(states):
    held = states.acquire(TABLE, "one", 60)
    states.wake(TABLE, landed_at=100)
    assert not states.release(TABLE, held.fence, seen_wake=held.wake)
    assert (states.read(TABLE).holder, states.read(TABLE).pending_since) == ("one", 100)


def test_only_the_latest_fence_opens_a_batch(states, clock):
    old = states.acquire(TABLE, "one", 60)
    clock.now += 60
    new = states.acquire(TABLE, "two", 60)
    assert not states.open_batch(TABLE, old.fence, 7, "old/plan.json")
    assert states.open_batch(TABLE, new.fence, 7, "new/plan.json")
    assert (states.read(TABLE).open_batch, states.read(TABLE).open_plan) == (7, "new/plan.json")


def test_batch_is_closed_once(states, table):
    held = states.acquire(TABLE, "one", 60)
    states.open_batch(TABLE, held.fence, 7, "plan.json")
    for _ in range(2):
        states.close_batch(TABLE, 7, Outcome(last_position="p2", rows_staged=5), COUNTS)
    state = states.read(TABLE)
    assert (state.open_batch, state.open_plan, state.last_batch) == (None, None, 7)
    assert (state.watermark, state.last_success_at) == ("p2", states.now())
    assert (state.applied_files, state.quarantined_files, state.quarantined_rows) == (2, 1, 3)
    record = table.get(f"TABLE#{TABLE}", "BATCH#0000000000007")
    assert (record["rows_staged"], record["applied_files"]) == (5, 2)
    assert record["expires_at"] > states.now()


def test_watermark_never_goes_back(states):
    for batch, position in ((1, "p5"), (2, "p3"), (3, None)):
        held = states.acquire(TABLE, "one", 60)
        states.open_batch(TABLE, held.fence, batch, "plan.json")
        states.close_batch(TABLE, batch, Outcome(last_position=position), COUNTS)
        assert states.read(TABLE).watermark == "p5"


def test_batch_of_nothing_leaves_no_watermark(states):
    held = states.acquire(TABLE, "one", 60)
    states.open_batch(TABLE, held.fence, 1, "plan.json")
    states.close_batch(TABLE, 1, Outcome(), COUNTS)
    assert (states.read(TABLE).watermark, states.read(TABLE).last_batch) == (None, 1)


def test_failures_are_counted_until_a_batch_is_closed(states):
    held = states.acquire(TABLE, "one", 60)
    assert [states.record_failure(TABLE, "one", "x").attempts for _ in range(2)] == [1, 2]
    states.open_batch(TABLE, held.fence, 1, "plan.json")
    states.close_batch(TABLE, 1, Outcome(), COUNTS)
    assert (states.read(TABLE).attempts, states.read(TABLE).last_error) == (0, None)


def test_postponed_table_is_free_and_keeps_its_work(states):
    states.wake(TABLE, landed_at=100)
    held = states.acquire(TABLE, "one", 60)
    states.open_batch(TABLE, held.fence, 7, "plan.json")
    states.postpone(TABLE, "one", 5_000)
    state = states.read(TABLE)
    assert (state.holder, state.retry_at, state.open_batch) == (None, 5_000, 7)
    assert (state.pending_since, state.blocked) == (100, False)


def test_table_is_not_postponed_by_a_run_that_lost_the_lease(states):
    states.acquire(TABLE, "two", 60)
    states.postpone(TABLE, "one", 5_000)
    assert (states.read(TABLE).holder, states.read(TABLE).retry_at) == ("two", 0)


def test_person_who_starts_a_postponed_table_gets_the_lease_at_once(states):
    states.acquire(TABLE, "one", 60)
    states.postpone(TABLE, "one", states.now() + 900)
    assert states.acquire(TABLE, "two", 60).holder == "two"


def test_failure_of_a_run_that_lost_the_lease_is_not_the_tables(states):
    states.acquire(TABLE, "two", 60)
    assert states.record_failure(TABLE, "one", "x") is None
    states.block(TABLE, "one", "why")
    assert (states.read(TABLE).blocked, states.read(TABLE).holder) == (False, "two")


def test_failure_before_the_lease_was_taken_counts(states):
    assert states.record_failure(TABLE, "one", "x").last_error == "x"


def test_blocked_table_is_free_and_planning_unblocks_it(states):
    states.acquire(TABLE, "one", 60)
    states.block(TABLE, "one", "why")
    state = states.read(TABLE)
    assert (state.blocked, state.holder, state.attempts) == (True, None, 0)
    held = states.acquire(TABLE, "two", 60)
    states.open_batch(TABLE, held.fence, 1, "plan.json")
    assert not states.read(TABLE).blocked


def test_state_is_one_item(states, table):
    states.wake(TABLE)
    states.acquire(TABLE, "one", 60)
    assert items(table) == [(f"TABLE#{TABLE}", "STATE")]


def test_blocked_table_that_was_started_and_had_nothing_to_load_is_blocked_no_more(states):
    states.acquire(TABLE, "one", 60)
    states.block(TABLE, "one", "why")
    state = states.acquire(TABLE, "person", 60)
    assert states.release(TABLE, state.fence, seen_wake=state.wake)
    assert not states.read(TABLE).blocked
