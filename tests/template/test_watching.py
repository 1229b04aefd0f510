"""The alarms: what people are told of, and that it can happen."""

import re

import pytest

from tidegate.ledger import TableState
from tidegate.sweeping.sweep_tables import Swept


@pytest.fixture(scope="module")
def alarms(resources) -> dict:
    return {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


def test_every_alarm_is_told_to_the_topic(alarms):
    told = {name for name, one in alarms.items() if one["AlarmActions"] == [{"Ref": "Alerts"}]}
    assert told == set(alarms) != set()


def test_silence_of_what_is_watched_is_no_alarm(alarms):
    assert {alarm["TreatMissingData"] for alarm in alarms.values()} == {"notBreaching"}


@pytest.mark.parametrize(
    ("schedule", "rate", "every"),
    [("DueTables", "rate(1 minute)", 60), ("MissedObjects", "rate(1 hour)", 3600)],
)
def test_schedule_of_the_sweep_that_always_fails_raises_the_alarm(
    resources, alarms, schedule, rate, every
):
    events = resources["SweepTables"]["Properties"]["Events"]
    assert events[schedule]["Properties"]["ScheduleExpression"] == rate
    alarm = alarms["SweepAlarm"]
    watched = alarm["Period"] * alarm["EvaluationPeriods"]
    bad_periods = {failed_at // alarm["Period"] for failed_at in range(0, watched, every)}
    assert len(bad_periods) >= alarm["DatapointsToAlarm"] > 1


def test_batch_with_refused_files_or_rows_raises_an_alarm(resources, alarms, root):
    counted = resources["QuarantiningBatches"]["Properties"]
    [metric] = counted["MetricTransformations"]
    assert counted["LogGroupName"] == {"Ref": "FunctionLogs"}
    assert (metric["MetricNamespace"], metric["MetricName"]) == (
        alarms["QuarantineAlarm"]["Namespace"],
        alarms["QuarantineAlarm"]["MetricName"],
    )
    message, *counts = re.findall(r'\$\.(\w+)(?: = "(\w+)")?', counted["FilterPattern"])
    assert f'logger.info("{message[1]}"' in (root / "functions/commit_batch/app.py").read_text()
    assert {name for name, _ in counts} == {
        name for name in TableState.model_fields if name.startswith("quarantined_")
    }


def test_table_that_waits_too_long_raises_an_alarm(resources, alarms, template, root):
    counted, alarm = resources["LongestWait"]["Properties"], alarms["WaitingTooLongAlarm"]
    [metric] = counted["MetricTransformations"]
    assert counted["LogGroupName"] == {"Ref": "FunctionLogs"}
    assert (metric["MetricNamespace"], metric["MetricName"]) == (
        alarm["Namespace"],
        alarm["MetricName"],
    )
    assert alarm["Threshold"] == {"Ref": "AlertAfterSeconds"}
    # An outage of a quarter of an hour is no alarm, and a longer one is before an hour is over.
    assert 900 < template["Parameters"]["AlertAfterSeconds"]["Default"] < 3600 - alarm["Period"]
    [message, value] = re.findall(r"\$\.(\w+)", counted["FilterPattern"])
    assert metric["MetricValue"] == f"$.{value}"
    handler = (root / "functions/sweep_tables/app.py").read_text()
    assert (message, value in Swept.__dataclass_fields__) == ("message", True)
    assert f'"{value}": swept.{value}' in handler
    assert 'logger.info("swept"' in handler


def test_alarm_of_a_table_that_waits_sees_every_minute(resources, alarms):
    due = resources["SweepTables"]["Properties"]["Events"]["DueTables"]["Properties"]
    assert due["ScheduleExpression"] == "rate(1 minute)"
    assert alarms["WaitingTooLongAlarm"]["Period"] >= 60
