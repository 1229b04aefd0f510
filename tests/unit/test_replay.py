"""Replay: what landed in some time waits once more, once, unless a refresh took its place."""

from collections.abc import Iterator

import pytest

from tests.unit.samples import items
from tests.unit.test_full_refresh import ASKED, LOAD, Refreshing
from tests.unit.test_planning import TABLE
from tidegate.errors import InvalidInputError

# The clock of Planning stands at 2024-08-09T19:27:20Z.
HOUR = {"from": "2024-08-09T19:00:00Z", "to": "2024-08-09T20:00:00Z"}
REPLAY = {"table": TABLE, "mode": "replay", **HOUR}


@pytest.fixture
def refreshing(aws) -> Refreshing:
    return Refreshing()


def kinds(refreshing: Refreshing) -> Iterator[str]:
    for _, sk in items(refreshing.ledger):
        yield sk.partition("#")[0]


def test_what_landed_in_that_time_is_loaded_again_and_counts_once(refreshing):
    now = refreshing.clock.now
    refreshing.put("1.csv", at=now - 3600)
    refreshing.put("2.csv", at=now)
    refreshing.put("3.csv", at=now + 3600)
    refreshing.load()
    planned = refreshing.step(REPLAY, "run", 0)
    state = refreshing.states.read(TABLE)
    assert (state.applied_files, state.pending_since) == (2, int(now))
    plan = refreshing.commit(planned)
    assert [file.key[-5:] for chunk in plan.chunks for file in chunk] == ["2.csv"]
    assert refreshing.states.read(TABLE).applied_files == 3


def test_file_that_waits_again_is_as_it_was_when_it_landed(refreshing):
    refreshing.put("1.csv")
    [before] = refreshing.files.pending(TABLE)
    refreshing.load()
    assert list(refreshing.files.pending(TABLE)) == []
    refreshing.step(REPLAY, "run", 0)
    assert list(refreshing.files.pending(TABLE)) == [before]
    assert sorted(kinds(refreshing)) == ["BATCH", "PENDING", "STATE"]


def test_run_replays_once_whatever_is_tried_again(refreshing):
    refreshing.put("1.csv")
    refreshing.load()
    planned = refreshing.step(REPLAY, "run", 0)
    again = refreshing.step(REPLAY, "run", 0)
    assert refreshing.read(again).batch == refreshing.read(planned).batch
    refreshing.commit(again)
    assert refreshing.step(REPLAY, "run", again.rounds).action == "done"
    assert refreshing.states.read(TABLE).applied_files == 1


def test_of_two_replays_at_once_each_file_waits_once(refreshing, monkeypatch):
    refreshing.put("1.csv", "2.csv")
    refreshing.load()
    history = refreshing.step.history
    look = type(history)._settled

    def be_faster(self, *given):
        found = list(look(self, *given))
        monkeypatch.setattr(type(history), "_settled", look)
        assert history.repeat(TABLE, 0, found[0].landed_at + 1)
        return found

    monkeypatch.setattr(type(history), "_settled", be_faster)
    assert history.repeat(TABLE, 0, 2**40)
    assert refreshing.files.count_pending(TABLE) == 2
    assert refreshing.states.read(TABLE).applied_files == 0


def test_more_files_than_a_transaction_holds_all_wait_again(refreshing):
    refreshing.put(*(f"{number}.csv" for number in range(120)))
    refreshing.load()
    refreshing.step(REPLAY, "run", 0)
    assert refreshing.files.count_pending(TABLE) == 120
    assert refreshing.states.read(TABLE).applied_files == 0


def test_what_is_in_quarantine_is_loaded_again_too(refreshing):
    refreshing.put("1.csv")
    refreshing.commit(refreshing.step(LOAD, "loading", 0), **{"1.csv": "no such column"})
    assert refreshing.step(LOAD, "loading", 1).action == "done"
    state = refreshing.states.read(TABLE)
    assert (state.applied_files, state.quarantined_files) == (0, 1)
    refreshing.commit(refreshing.step(REPLAY, "run", 0))
    state = refreshing.states.read(TABLE)
    assert (state.applied_files, state.quarantined_files) == (1, 0)


def test_replay_while_another_run_works_is_left_to_it(refreshing):
    refreshing.put("1.csv")
    refreshing.load()
    refreshing.put("2.csv")
    held = refreshing.step(LOAD, "holder", 0)
    assert refreshing.step(REPLAY, "run", 0).action == "leave"
    refreshing.commit(held)
    assert refreshing.read(refreshing.step(LOAD, "holder", 1)).chunks[0][0].key.endswith("1.csv")


def test_what_a_refresh_has_taken_the_place_of_stays_as_it_is(refreshing):
    refreshing.put("20240809-1.csv")
    refreshing.put("LOAD00000001.csv")
    refreshing.load()
    refreshing.commit(refreshing.step(ASKED, "refresh", 0))
    refreshing.step(ASKED, "refresh", 1)
    refreshing.put("20240809-2.csv")
    refreshing.load()
    replayed = refreshing.step(REPLAY, "run", 0)
    [[change]] = refreshing.read(replayed).chunks
    assert change.key.endswith("20240809-2.csv")


def test_replay_while_a_refresh_is_under_way_is_refused(refreshing):
    refreshing.put("LOAD00000001.csv", "1.csv")
    refreshing.load()
    refreshing.step(ASKED, "refresh", 0)
    with pytest.raises(InvalidInputError, match="is under way"):
        refreshing.step(REPLAY, "run", 0)
    assert refreshing.files.count_pending(TABLE) == 0
