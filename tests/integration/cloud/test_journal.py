"""The journal: lines of functions and jobs, in a form that people read."""

import json
import threading

import pytest

from tidegate.local.cloud.journal import Journal, read_error, read_line


def log_line(**more):
    standard = {
        "level": "INFO",
        "location": "handler:12",
        "timestamp": "2026-11-22 10:00:00,000+0000",
        "service": "tidegate",
        "function_request_id": "1-2-3",
        "cold_start": True,
    }
    return json.dumps({**standard, **more})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("plain\n", ("plain", False)),
        ("17\n", ("17", False)),
        ("\n", None),
        (log_line(message="planned", table="a.b", files=3), ("planned table=a.b files=3", False)),
        (log_line(message="x", counts={"a": 1}), ('x counts={"a":1}', False)),
        (log_line(message="bad", level="ERROR"), ("bad", True)),
        (log_line(message="bad", level="ERROR", exception="Trace\n  line"),
         ("bad\nTrace\n  line", True)),
        (json.dumps({"_aws": {"Timestamp": 1}, "rows": 3}), None),
    ],
)  # fmt: skip
def test_a_line_tells_its_message_and_what_is_its_own(line, expected):
    assert read_line(line) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"errorType": "A", "errorMessage": "b"}', "A: b"),
        ('{"errorType": "A", "errorMessage": "b", "stackTrace": ["  at c\\n"]}', "A: b\n  at c"),
        ('{"JobRunState": "FAILED", "ErrorMessage": "ValueError: b"}', "ValueError: b"),
        ("no json", "no json"),
        ("[1]", "[1]"),
    ],
)
def test_an_error_tells_what_it_says(text, expected):
    assert read_error(text) == expected


def test_a_reader_gets_what_came_after_the_last_it_saw():
    journal = Journal()
    for text in ("one", "two", "three"):
        journal.say("here", text)
    assert [entry.text for entry in journal.after(1)] == ["two", "three"]
    assert journal.after(3) == []


def test_a_reader_that_waits_is_woken_by_the_next_entry():
    journal = Journal()
    threading.Timer(0.05, journal.say, ("here", "woken")).start()
    assert [entry.text for entry in journal.after(0, wait=10)] == ["woken"]
