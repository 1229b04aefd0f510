"""Inputs of executions: what is asked for is understood, and a wrong one says what was meant."""

from datetime import UTC, datetime

import pytest

from tests.unit.samples import PREFIX, contract
from tidegate.errors import InvalidInputError
from tidegate.planning.request import LoadRequest, RefreshRequest, ReplayRequest, read_request

TABLE = "sales.orders"
STAMPED = contract(options={"timestamp": "at"})


def refresh(**more: object) -> dict[str, object]:
    return {"table": TABLE, "mode": "full_refresh", **more}


def replay(**times: object) -> dict[str, object]:
    return {"table": TABLE, "mode": "replay", **times}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"table": TABLE}, LoadRequest(table=TABLE)),
        ({"table": TABLE, "mode": "load", "force": True}, LoadRequest(table=TABLE, force=True)),
        (refresh(), RefreshRequest(table=TABLE, mode="full_refresh")),
        (
            refresh(snapshot_prefix=PREFIX + "2024/", as_of="2024-08-09T08:00:00Z", force=True),
            RefreshRequest(
                table=TABLE,
                mode="full_refresh",
                snapshot_prefix=PREFIX + "2024/",
                as_of="2024-08-09 08:00:00.000000",
                force=True,
            ),
        ),
    ],
)
def test_what_is_asked_for_is_understood(given, meant):
    assert read_request(given, {TABLE: STAMPED}) == (STAMPED, meant)


@pytest.mark.parametrize("since", ["2024-08-09T08:00:00Z", "2024-08-09T10:00:00+02:00"])
@pytest.mark.parametrize("until", ["2024-08-10", "2024-08-10 00:00:00"])
def test_times_of_a_replay_are_of_utc_where_no_zone_is_given(since, until):
    _, found = read_request(replay(**{"from": since, "to": until}), {TABLE: STAMPED})
    assert isinstance(found, ReplayRequest)
    assert found.since == datetime(2024, 8, 9, 8, tzinfo=UTC)
    assert found.until == datetime(2024, 8, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, r"is wrong \(table: Field required\); write {\"table\": \"schema.table\"}$"),
        ({"table": 5}, r"is wrong \(table: Input should be a valid string\)"),
        ({"table": TABLE, "mod": "x"}, r"\(mod: .*, did you mean 'mode'\?\)"),
        ({"table": TABLE, "x": 1}, r"\(x: .*, only table, mode, force\)"),
        ({"table": TABLE, "mode": "x"}, r"\(mode: unknown mode; write full_refresh or"),
        ({"table": TABLE, "mode": ["x"]}, r"\(mode: unknown mode"),
        ([], r"is wrong \(input: "),
        (None, r"is wrong \(input: "),
        ({"table": "a.b"}, r"no contract is deployed for 'a\.b' \(there are: sales\.orders\)"),
        (refresh(as_off="x"), r"\(as_off: .*did you mean 'as_of'\?\); write .*full_refresh"),
        (refresh(force="yes"), r"\(force: Input should be a valid boolean\)"),
        (refresh(as_of="soon"), "as_of 'soon' is not of type timestamp, like 'at', which orders"),
        (
            refresh(snapshot_prefix="dms/"),
            "snapshot_prefix 'dms/' is not under 'dms/sales/orders/'",
        ),
        (replay(), r"\(from: Field required; to: Field required\); write .*replay"),
        (
            replay(**{"from": "2024", "to": 5}),
            "from: '2024' is not a time; write it like 2026-01-31T18",
        ),
        (replay(**{"from": "2024-08-10", "to": "2024-08-10"}), "must be before to"),
    ],
)
def test_wrong_input_is_refused_with_what_is_wrong_and_what_was_meant(given, said):
    with pytest.raises(InvalidInputError, match=said):
        read_request(given, {TABLE: STAMPED})


def test_of_many_tables_the_first_are_named():
    contracts = {f"sales.t{number:02}": STAMPED for number in range(30)}
    with pytest.raises(InvalidInputError, match=r"are: sales\.t00, .*, sales\.t19 and 10 more\)$"):
        read_request({"table": TABLE}, contracts)
